# The report of the commissioning environment; sourced by init.
ATTEMPTS=3

# Post what was found and set `next` to what the server answers: stay, poweroff or reboot.
report() {
  attempt=1
  while [ $attempt -le $ATTEMPTS ]; do
    found >/run/found.json
    if answer=$(wget -q -O - --header "Authorization: Bearer $(option hl.token)" \
      --header "Content-Type: application/json" --post-file /run/found.json "$url/commissioning" 2>/run/refusal); then
      next=$(printf '%s' "$answer" | sed -n 's/.*"next" *: *"\([a-z]*\)".*/\1/p')
      case $next in
        stay | poweroff | reboot)
          say "reported to $url, $(cut -d' ' -f1 "$PROC/uptime") s after the kernel started; next: $next"
          return
          ;;
      esac
      echo "its answer has no next step: $answer" >/run/refusal
    fi
    say "the report to $url was not taken (try $attempt of $ATTEMPTS): $(cat /run/refusal)"
    [ $attempt -lt $ATTEMPTS ] && sleep 5
    attempt=$((attempt + 1))
  done
  next=stay
  say "NOT COMMISSIONED: the server at $url did not take the report (its log says why);"
  say "the machine stays as it is. Boot it from the network again to try again."
}

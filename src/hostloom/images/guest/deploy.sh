# Carries out the server's order for a disk: write an image or erase; sourced by init after disk.sh.
# BIN: the full dd, sha256sum and blkdiscard; by name alone the shell runs those of busybox.
# DIRECT: reads and writes past the page cache; empty for files that cannot do it.
: "${DEV:=/dev}" "${BIN:=/bin}" "${PAUSE:=1}" "${REPORT_EVERY:=5}" "${DIRECT=direct,}"
MIB=1048576
TRIES=10

# A request to the server with the machine's token; the token is read from a file.
call() {
  curl -sS --fail-with-body --connect-timeout 10 --max-time 60 -H "@$RUN/authorization" "$@" 2>>"$RUN/log"
}

# A value of the orders, which are lines of KEY=VALUE and are never run.
order() { sed -n "s/^$1=//p" "$RUN/orders" | head -n 1; }

# A number of the orders.
order_number() { number "$(order "$1")"; }

# Ask the server for the orders; the last line proves that all of them have arrived.
fetch_orders() {
  : >"$RUN/log"
  (umask 077 && echo "Authorization: Bearer $(option hl.token)" >"$RUN/authorization")
  attempt=1
  until call -o "$RUN/orders" "$url/deployment" && grep -q '^end=orders$' "$RUN/orders"; do
    say "the server at $url has no orders (try $attempt of $TRIES): $(tail -n 1 "$RUN/log")"
    [ $attempt -ge $TRIES ] && return 1
    attempt=$((attempt + 1))
    sleep $((PAUSE * 5))
  done
}

# Post the step and how far it is. The server refuses with 403 or 409 when the deployment has ended: then the
# file `revoked` appears.
progress() {
  printf '{"step":"%s","done_bytes":%s,"total_bytes":%s%s}' \
    "$step" "$(number "$1")" "$(number "$2")" "$3" >"$RUN/progress.json"
  code=$(call -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' \
    --data-binary "@$RUN/progress.json" "$url/deploying")
  case $code in
    200) return 0 ;;
    403 | 409) : >"$RUN/revoked" ;;
  esac
  return 1
}

# A message that the server must have: try until it has taken or refused it.
tell() {
  attempt=1
  until progress "$@"; do
    [ -e "$RUN/revoked" ] || [ $attempt -ge $TRIES ] && return 1
    attempt=$((attempt + 1))
    sleep $((PAUSE * 5))
  done
}

# The failure, with the last lines of the programs and of the kernel.
fail() {
  say "NOT DEPLOYED: step $step: $1"
  tell 0 0 ",\"failure\":$(text "$1"),\"output\":[$(last_lines)]" ||
    say "the server did not take this message; its log says why"
}

last_lines() {
  comma=
  { tail -n 15 "$RUN/log" && dmesg 2>/dev/null | tail -n 25; } >"$RUN/last"
  while read -r line; do
    printf '%s%s' "$comma" "$(text "$line")"
    comma=,
  done <"$RUN/last"
}

# Report how far dd is until the process has ended; stop it when the server refuses.
report_until_done() {
  elapsed=0
  while kill -0 "$1" 2>/dev/null; do
    sleep "$PAUSE"
    elapsed=$((elapsed + 1))
    [ $((elapsed % REPORT_EVERY)) = 0 ] && progress "$(copied)" "$2"
    [ -e "$RUN/revoked" ] && kill "$1" 2>/dev/null
  done
  wait "$1"
}

# The bytes that dd has copied, as it writes them to its standard error.
copied() { tr '\r' '\n' <"$RUN/dd" | sed -n 's/^\([0-9]*\) bytes.*/\1/p' | tail -n 1; }

# The compressed image. When the connection breaks, it goes on with the next byte.
fetch_stream() {
  offset=0 failures=0
  while [ "$offset" -lt "$stream_size" ]; do
    curl -sS -f --connect-timeout 10 --speed-limit 1 --speed-time 60 -H "@$RUN/authorization" \
      -r "$offset-" -w '%{stderr}\n%{http_code} %{size_download}\n' "$url$(order stream)" 2>"$RUN/curl"
    curl_code=$?
    cat "$RUN/curl" >>"$RUN/log"
    read -r code size <<ANSWER
$(tail -n 1 "$RUN/curl")
ANSWER
    case $code in
      206) [ "$(number "$size")" -gt 0 ] && offset=$((offset + size)) failures=0 ;;
      200 | 4??) return 1 ;;
    esac
    # 23: no program takes the bytes any more.
    [ $curl_code = 23 ] && return 1
    [ "$offset" -ge "$stream_size" ] && break
    failures=$((failures + 1))
    [ $failures -ge $TRIES ] && return 1
    sleep $((PAUSE * 2))
  done
  [ "$offset" = "$stream_size" ]
}

# Write the image. The hash is taken of the compressed stream, which is several times shorter.
write_image() {
  step="write"
  stream_size=$(order_number stream_size_bytes) raw_size=$(order_number raw_size_bytes)
  tell 0 "$raw_size" || return 1
  sparse=
  zero_quickly 0 "$raw_size" && sparse=sparse,
  rm -f "$RUN/copy" && mkfifo "$RUN/copy" && : >"$RUN/dd"
  "$BIN/sha256sum" <"$RUN/copy" >"$RUN/stream.sha256" &
  hashing=$!
  {
    fetch_stream
    echo $? >"$RUN/code.fetch"
  } | tee "$RUN/copy" | {
    zstd -d -c -q 2>>"$RUN/log"
    echo $? >"$RUN/code.zstd"
  } | "$BIN/dd" of="$disk" bs=1M count="$raw_size" iflag=fullblock,count_bytes oflag="${DIRECT}seek_bytes" \
    conv="${sparse}notrunc,fsync" status=progress 2>"$RUN/dd" &
  report_until_done $! "$raw_size"
  dd_code=$?
  wait $hashing
  tr '\r' '\n' <"$RUN/dd" | tail -n 3 >>"$RUN/log"
  read -r stream_sha256 _ <"$RUN/stream.sha256"
  if [ -e "$RUN/revoked" ]; then
    problem="the server has ended the deployment"
  elif [ "$dd_code" != 0 ]; then
    problem="disk $disk could not be written"
  elif [ "$(cat "$RUN/code.zstd")" = 141 ]; then
    # SIGPIPE: dd took all that the disk of the image has, and ended
    problem="the image unpacks to more than the $raw_size bytes of its disk"
  elif [ "$(cat "$RUN/code.fetch")" != 0 ]; then
    problem="the image broke off after $(copied) bytes of the disk"
  elif [ "$stream_sha256" != "$(order stream_sha256)" ]; then
    problem="the image arrived with SHA-256 $stream_sha256, but it has $(order stream_sha256)"
  elif [ "$(cat "$RUN/code.zstd")" != 0 ] || [ "$(copied)" != "$raw_size" ]; then
    problem="the image unpacks to $(copied) bytes, but its disk has $raw_size"
  else
    return 0
  fi
  return 1
}

# Read the disk past the cache and compare it with the checksum that zstd stores: the low half of XXH64.
verify_image() {
  step=verify
  tell 0 "$raw_size" || return 1
  {
    "$BIN/dd" if="$disk" bs=1M count="$raw_size" iflag="${DIRECT}fullblock,count_bytes" status=progress 2>"$RUN/dd" |
      xxhsum -H64 - >"$RUN/xxh64" 2>>"$RUN/log"
  } &
  report_until_done $! "$raw_size"
  read -r sum _ <"$RUN/xxh64"
  [ "${sum#????????}" = "$(order stream_checksum)" ] && return 0
  tr '\r' '\n' <"$RUN/dd" | tail -n 3 >>"$RUN/log"
  problem="disk $disk reads back with checksum ${sum#????????}, but $(order stream_checksum) was written"
  return 1
}

deploy_disk() {
  find_disk && fetch_seed || return 1
  if ! { write_image && verify_image && place_seed; }; then
    # A half-written system must not start.
    zero_bytes 0 $MIB
    return 1
  fi
  step=boot
  set_boot_entry
  sync
  tell "$raw_size" "$raw_size" ',"is_done":true' && return 0
  problem="the server did not take the message that the disk is written"
  return 1
}

erase_disk() {
  step=erase
  find_disk && tell 0 "$disk_size" && erase && tell "$disk_size" "$disk_size" ',"is_done":true'
}

# Carry out the orders and set `next`: reboot, poweroff, or stay after a failure.
deploy() {
  next=stay step=image problem="the server refused to go on"
  rm -f "$RUN/revoked"
  fetch_orders || {
    say "NOT DEPLOYED: the server gives no orders; boot from the network again to try again"
    return
  }
  case $(order order) in
    deploy) deploy_disk && next=reboot ;;
    erase) erase_disk && next=poweroff ;;
    *) problem="the order $(order order) is not known: build the boot image again" && false ;;
  esac || fail "$problem"
}

# What a machine is, as JSON; sourced by init. Where it reads can be moved, so that it can be tested.
: "${SYS:=/sys}" "${PROC:=/proc}" "${RUN:=/run}"

# The first line of a file without spaces around it, or nothing.
read_line() {
  line=
  [ -r "$1" ] && read -r line <"$1" 2>/dev/null
  echo "$line"
}

# A JSON string: what is not printable ASCII is left out, and what JSON reads otherwise is escaped.
text() {
  case $1 in
    *[!\ -~]* | *[\"\\]* | " "* | *" ") escaped "$1" ;;
    *) printf '"%.250s"' "$1" ;;
  esac
}

# The same for any text; apart from `text` because each of its programs costs milliseconds.
escaped() {
  printf '"%s"' "$(printf '%s' "$1" | tr -cd ' -~' | cut -c 1-250 | sed 's/["\\]/\\&/g; s/^ *//; s/ *$//')"
}

# A JSON number: 0 for what is none.
number() {
  case $1 in
    "" | *[!0-9]*) printf 0 ;;
    0?*) number "${1#0}" ;;
    *) printf '%s' "$1" ;;
  esac
}

cores() { grep -c '^processor' "$PROC/cpuinfo"; }

cpu_model() { sed -n 's/^model name[[:space:]]*: *//p' "$PROC/cpuinfo" | head -n 1; }

# All RAM, not only what the kernel has left for itself; the latter where the map may not be read.
memory_mib() {
  bytes=0
  while IFS=- read -r from to; do
    [ -n "$to" ] && bytes=$((bytes + 0x$to - 0x$from + 1))
  done <<RAM
$(sed -n 's/^\([0-9a-f]*-[0-9a-f]*\) : System RAM$/\1/p' "$PROC/iomem" 2>/dev/null)
RAM
  if [ "$bytes" -gt 0 ]; then
    echo $(((bytes + 1048575) / 1048576))
  else
    echo $(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' "$PROC/meminfo") / 1024))
  fi
}

firmware() { if [ -d "$SYS/firmware/efi" ]; then echo uefi; else echo bios; fi; }

dmi() { read_line "$SYS/class/dmi/id/$1"; }

driver() {
  link=$(readlink "$SYS/class/net/$1/device/driver") && echo "${link##*/}"
}

# Names of the disks that stay: no CD-ROMs, sticks, memory, nor disks that are made of other disks.
disk_names() {
  for path in "$SYS"/block/*; do
    [ -e "$path/device" ] || continue
    [ "$(read_line "$path/removable")" = 1 ] && continue
    sectors=$(read_line "$path/size")
    [ "${sectors:-0}" = 0 ] || echo "${path##*/}"
  done
}

disks() {
  comma=
  for name in $(disk_names); do
    path=$SYS/block/$name
    rotational=false
    [ "$(read_line "$path/queue/rotational")" = 1 ] && rotational=true
    printf '%s{"name":%s,"size_bytes":%s,"model":%s,"serial":%s,"rotational":%s}' "$comma" \
      "$(text "$name")" "$(number $(($(read_line "$path/size") * 512)))" \
      "$(text "$(read_line "$path/device/model")")" "$(text "$(disk_serial "$path")")" "$rotational"
    comma=,
  done
}

# virtio's own, NVMe's, or SCSI's page 0x80 behind its head of four bytes.
disk_serial() {
  for file in "$1/serial" "$1/device/serial"; do
    [ -r "$file" ] && read_line "$file" && return
  done
  [ -r "$1/device/vpd_pg80" ] && tail -c +5 "$1/device/vpd_pg80" | tr -cd ' -~'
}

nics_found() {
  comma=
  for path in "$SYS"/class/net/*; do
    [ -e "$path/device" ] || continue
    nic=${path##*/}
    carrier=false
    [ "$(read_line "$path/carrier")" = 1 ] && carrier=true
    printf '%s{"name":%s,"mac":%s,"carrier":%s,"link_speed":%s,"driver":%s,"dhcp":%s' "$comma" \
      "$(text "$nic")" "$(text "$(read_line "$path/address")")" "$carrier" \
      "$(number "$(read_line "$path/speed")")" "$(text "$(driver "$nic")")" "$(dhcp "$RUN/dhcp.$nic")"
    [ -s "$RUN/lldp.$nic" ] && printf ',"lldp":%s' "\"$(cat "$RUN/lldp.$nic")\""
    printf '}'
    comma=,
  done
}

dhcp() {
  [ -s "$1/ip" ] || {
    printf null
    return
  }
  printf '{"ip":%s' "$(text "$(read_line "$1/ip")")"
  for each in server gateway; do
    value=$(read_line "$1/$each")
    [ -n "$value" ] && printf ',"%s":%s' "$each" "$(text "$value")"
  done
  value=$(read_line "$1/lease_time_s")
  [ -n "$value" ] && printf ',"lease_time_s":%s' "$(number "$value")"
  printf '}'
}

# The whole report, on one line.
found() {
  read -r uptime _ <"$PROC/uptime"
  printf '{"cores":%s,"memory_mib":%s,"architecture":%s,"firmware":%s,"cpu_model":%s' \
    "$(number "$(cores)")" "$(number "$(memory_mib)")" "$(text "$(uname -m)")" "$(text "$(firmware)")" \
    "$(text "$(cpu_model)")"
  printf ',"vendor":%s,"product":%s,"uuid":%s,"serial":%s' "$(text "$(dmi sys_vendor)")" \
    "$(text "$(dmi product_name)")" "$(text "$(dmi product_uuid)")" "$(text "$(dmi product_serial)")"
  printf ',"disks":[%s],"nics":[%s],"uptime_s":%s}\n' "$(disks)" "$(nics_found)" "$uptime"
}

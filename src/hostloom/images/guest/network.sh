# Modules, NICs and addresses of the commissioning environment; sourced by init.

say() { echo "hostloom: $*"; }

# The value of a word on the kernel's command line.
option() {
  for word in $(cat "$PROC/cmdline"); do
    case $word in "$1"=*) echo "${word#*=}" ;; esac
  done
}

# Since the kernel started.
seconds() {
  read -r now _ <"$PROC/uptime"
  echo "${now%.*}"
}

# Drivers of the devices that are there; what they bring may have devices of its own.
load_modules() {
  loaded=-1
  while [ "$loaded" != "$(wc -l <"$PROC/modules")" ]; do
    loaded=$(wc -l <"$PROC/modules")
    # shellcheck disable=SC2046 # an alias has no spaces
    modprobe -a -q -b $(cat "$SYS"/bus/*/devices/*/modalias 2>/dev/null | sort -u) sd_mod 2>/dev/null
  done
}

# acpid runs /etc/acpi/PWRF/00000080 (power.sh) when the power button is pressed.
answer_power_button() {
  modprobe -a -q -b button evdev gpio_keys 2>/dev/null
  acpid -d >/dev/null 2>&1 &
}

# NICs that are devices, by name.
nics() {
  for path in "$SYS"/class/net/*; do
    [ -e "$path/device" ] && echo "${path##*/}"
  done
}

# The NIC that booted: BOOTIF's, `-` or `:` between its bytes, perhaps with PXE's leading `01-`.
boot_nic() {
  wanted=$(option BOOTIF | tr 'A-F-' 'a-f:')
  for nic in $(nics); do
    mac=$(cat "$SYS/class/net/$nic/address")
    [ "$mac" = "$wanted" ] || [ "01:$mac" = "$wanted" ] || continue
    echo "$nic"
    return
  done
}

# All of them up, as soon as the one that booted is there: after 15 s with what there is.
find_nics() {
  tries=0
  while first=$(boot_nic) && [ -z "$first" ] && [ $tries -lt 150 ]; do
    [ $((tries % 10)) = 9 ] && load_modules
    usleep 100000
    tries=$((tries + 1))
  done
  for nic in $(nics); do ip link set "$nic" up; done
}

has_carrier() { [ "$(cat "$SYS/class/net/$1/carrier" 2>/dev/null)" = 1 ]; }

# A real NIC may take seconds to agree with its switch; a virtual one knows at once.
wait_carrier() {
  tries=0
  while ! has_carrier "$1" && [ $tries -lt "$2" ]; do
    usleep 100000
    tries=$((tries + 1))
  done
  has_carrier "$1"
}

lease() { udhcpc -i "$1" -s /etc/lease.sh -t "$2" -T 1 -n >/dev/null 2>&1; }

# The NIC that booted first: through it we report. The others side by side.
take_addresses() {
  [ -n "$first" ] && wait_carrier "$first" 100 && lease "$first" 10
  asking=
  for nic in $(nics); do
    [ "$nic" = "$first" ] && continue
    patience=50
    [ "$(driver "$nic")" = virtio_net ] && patience=0
    { wait_carrier "$nic" $patience && lease "$nic" 5; } &
    asking="$asking $!"
  done
  # shellcheck disable=SC2086 # not those that listen for LLDP
  [ -n "$asking" ] && wait $asking
  for nic in $(nics); do
    say "$nic $(cat "$SYS/class/net/$nic/address") $(cat "/run/dhcp.$nic/ip" 2>/dev/null || echo 'has no address')"
  done
}

# Switches say who they are every 30 seconds; only images for real machines can hear it.
listen_lldp() {
  listening= listening_since=$(seconds)
  [ -x /bin/tcpdump ] || return
  for nic in $(nics); do
    tcpdump -Z root -i "$nic" -c 1 -s 1600 -U -w "/run/lldp.$nic.pcap" ether proto 0x88cc >"/run/lldp.$nic.log" 2>&1 &
    listening="$listening $nic:$!"
  done
}

# Until every NIC with a carrier has heard its switch, or for as long as a switch may take.
wait_lldp() {
  [ -n "$listening" ] || return
  until heard_all || [ $(($(seconds) - listening_since)) -ge 32 ]; do sleep 1; done
  for each in $listening; do
    nic=${each%%:*}
    kill "${each##*:}" 2>/dev/null
    # pcap: 24 bytes of file header, 16 of the packet's
    [ -s "/run/lldp.$nic.pcap" ] && tail -c +41 "/run/lldp.$nic.pcap" | hexdump -v -e '1/1 "%02x"' >"/run/lldp.$nic"
  done
}

heard_all() {
  for each in $listening; do
    has_carrier "${each%%:*}" && kill -0 "${each##*:}" 2>/dev/null && return 1
  done
  return 0
}

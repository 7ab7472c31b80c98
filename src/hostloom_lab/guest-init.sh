#!/bin/busybox sh
# First process of the lab's guest: bring every NIC up, take addresses, report each one, offer a shell.
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc p /proc
mount -t sysfs s /sys
mount -t devtmpfs d /dev 2>/dev/null
for module in $(cat /lib/m/order); do insmod "/lib/m/$module" 2>/dev/null; done

opt() {
  for word in $(cat /proc/cmdline); do
    case $word in "$1"=*) echo "${word#*=}" ;; esac
  done
}

url=$(opt hl.url)
case $url in "" | */report) ;; *) url=$url/report ;; esac
static=$(opt hl.ip)
name=$(opt hl.name)
[ -n "$name" ] && hostname "$name"
ip link set lo up
tries=0
while [ ! -e /sys/class/net/eth0 ] && [ $tries -lt 50 ]; do usleep 100000; tries=$((tries + 1)); done

for path in /sys/class/net/eth*; do
  nic=${path##*/}
  ip link set "$nic" up
  usleep 50000
  mac=$(cat "$path/address")
  echo "HL nic $nic mac=$mac carrier=$(cat "$path/carrier")"
  if [ -n "$static" ] && [ "$nic" = eth0 ]; then
    ip addr add "$static" dev eth0
    echo "${static%/*}" >/run/ip.eth0
  elif [ -n "$url" ] || [ -n "$(opt hl.dhcp)" ]; then
    udhcpc -i "$nic" -s /etc/lease.sh -t 10 -T 1 -A 1 -n -q >/dev/null 2>&1
  fi
  address=$(cat "/run/ip.$nic" 2>/dev/null)
  echo "HL up $nic mac=$mac ip=$address uptime=$(cut -d' ' -f1 /proc/uptime)"
  if [ -n "$url" ] && [ -n "$address" ]; then
    query="mac=$mac&ip=$address&hostname=$(hostname)&uptime=$(cut -d' ' -f1 /proc/uptime)"
    wget -q -O /dev/null "$url?$query" && echo "HL reported $nic"
  fi
done
echo "HL ready"
while :; do setsid cttyhack sh </dev/console >/dev/console 2>&1; done

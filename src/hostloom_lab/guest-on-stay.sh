#!/bin/busybox sh
# What tests need of a machine that stays: it says which addresses it has, and offers a shell on its console.
. /etc/found.sh
. /etc/network.sh
url=$(option hl.url)
for nic in $(nics); do
  mac=$(cat "/sys/class/net/$nic/address")
  address=$(cat "/run/dhcp.$nic/ip" 2>/dev/null)
  echo "HL up $nic mac=$mac ip=$address"
  [ -n "$address" ] || continue
  query="mac=$mac&ip=$address&hostname=$(hostname)&uptime=$(cut -d' ' -f1 /proc/uptime)"
  wget -q -O /dev/null --header "Authorization: Bearer $(option hl.up)" "$url/report?$query" && echo "HL reported $nic"
done
echo "HL ready"
while :; do setsid cttyhack sh </dev/console >/dev/console 2>&1; done

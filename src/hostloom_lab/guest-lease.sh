#!/bin/busybox sh
# What udhcpc calls: put the leased address on the NIC and note it.
case $1 in
  deconfig)
    ip addr flush dev "$interface"
    ip link set "$interface" up
    ;;
  bound | renew)
    ip addr flush dev "$interface"
    ip addr add "$ip/$mask" dev "$interface"
    for gateway in $router; do
      ip route add default via "$gateway" dev "$interface" 2>/dev/null
      break
    done
    echo "$ip" >"/run/ip.$interface"
    [ -n "$hostname" ] && echo "$hostname" >"/run/name.$interface"
    ;;
esac
exit 0

#!/bin/busybox sh
# What udhcpc calls: the leased address onto the NIC, and what DHCP said for the report.
facts=/run/dhcp.$interface
case $1 in
  deconfig)
    ip -4 addr flush dev "$interface"
    ip link set "$interface" up
    rm -rf "$facts"
    ;;
  bound | renew)
    [ "$(cat "$facts/ip" 2>/dev/null)/$mask" = "$ip/$(cat "$facts/mask" 2>/dev/null)" ] || {
      ip -4 addr flush dev "$interface"
      ip addr add "$ip/$mask" dev "$interface"
    }
    for gateway in $router; do
      ip route add default via "$gateway" dev "$interface" 2>/dev/null
      break
    done
    mkdir -p "$facts"
    echo "$ip" >"$facts/ip"
    echo "$mask" >"$facts/mask"
    echo "$serverid" >"$facts/server"
    echo "$gateway" >"$facts/gateway"
    echo "$lease" >"$facts/lease_time_s"
    ;;
esac
exit 0

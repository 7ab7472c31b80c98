#!/bin/busybox sh
# In place of tcpdump: hears a switch at once. Chassis 00:11:22:33:44:55, port Ethernet1/7, VLAN 20.
while [ "$1" != -w ]; do shift; done
frame=0180c200000e00112233445588cc020704001122334455040c0545746865726e6574312f3706020078fe060080c2010014
{
  # the heads of the file and of the packet
  head -c 40 /dev/zero
  echo "$frame" | xxd -r -p
} >"$2"

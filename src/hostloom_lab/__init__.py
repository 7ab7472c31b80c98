"""The lab: real KVM hosts, a switch and a rack in network namespaces on one machine.

`Lab("lab").up(hosts=2)` makes them, `down()` removes every trace. Each host has a libvirtd and an sshd of its
own; the rack has an address on every segment and runs Kea; guests are a distribution's kernel with a small
initramfs. Demo, end-to-end tests and benchmarks stand on it; the product never imports it.
"""

"""The lab: real KVM hosts, a switch and a rack in network namespaces on one machine.

`Lab("lab").up(hosts=2)` creates them and `down()` removes every trace. Each host has its own libvirtd and
sshd; the rack has an address on every segment and runs Kea; guests are a distribution's kernel with a small
initramfs. The demo, end-to-end tests and benchmarks use the lab; the product never imports it.
"""

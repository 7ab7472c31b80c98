"""What our DHCP serves and advertises, and who answers on a VLAN."""

"""What our DHCP serves and advertises, and which servers answer on a VLAN."""

"""Switches the power of bare machines: IPMI, Redfish, domains of other libvirt hosts, or a person."""

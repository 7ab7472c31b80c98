"""What a reading of a host means: correlation, inventory, VLANs of interfaces, drift and repairs."""

"""Many machines at once: all or none, over many hosts."""

"""Places many machines over many hosts: all or none."""

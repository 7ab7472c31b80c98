"""Records what readings of hosts found; it never deletes anything."""

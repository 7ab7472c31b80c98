"""Records the results of readings of hosts; it never deletes anything."""

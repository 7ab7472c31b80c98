"""Periodic tasks that bring records and reality together; the next run follows a failed one."""

"""Places one machine on one host: candidates, matching, assignment, capacity and addresses."""

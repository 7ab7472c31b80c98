"""The choices, pure: a snapshot and a request in, a plan with its explanation out."""

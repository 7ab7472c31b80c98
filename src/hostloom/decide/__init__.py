"""Pure decisions: from a snapshot and a request to a plan with its explanation."""

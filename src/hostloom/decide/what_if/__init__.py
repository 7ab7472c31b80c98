"""What would come of a change: who is hurt, where they could go, how requests fare."""

"""The durable actions, over ports only."""

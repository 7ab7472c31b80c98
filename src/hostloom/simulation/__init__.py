"""World files and what-if questions: decisions without a server."""

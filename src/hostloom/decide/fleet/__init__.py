"""All hosts at once: indexes, host classes, and the verdict on each."""

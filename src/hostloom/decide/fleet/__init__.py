"""All hosts at once: indexes, shapes, and the verdict on each."""

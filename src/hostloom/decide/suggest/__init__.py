"""Of a refused request: the least change that makes it fit, found by trial."""

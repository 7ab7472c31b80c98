"""Other products' interfaces, translated to hostloom's own services."""

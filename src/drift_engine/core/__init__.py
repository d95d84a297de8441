"""Layer 1: what is true. Pure functions over frozen values; nothing here knows a clock, a file or a network."""

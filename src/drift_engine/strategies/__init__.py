"""Layer 2: what we want. Pure decisions; nothing here reaches a venue, a clock or a file."""

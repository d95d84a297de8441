"""Layer 3: what is allowed, and doing it."""

"""The simulated venue and its markets: books of its own, models with seeds, data as it was."""

"""The manager: which engines there are, one process for each, and what becomes of them."""

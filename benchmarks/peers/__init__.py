"""Peers: other engines on the same candles, each in an environment of its own, at a pinned version."""

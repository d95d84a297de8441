"""Talking to running engines and their manager: one Unix socket each, JSON lines, the same protocol for both."""

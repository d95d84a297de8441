"""Builders of the program's instructions."""

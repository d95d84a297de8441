"""The vocabulary, a file for each kind of word; everybody takes them from ``core.types``."""

"""The codec: bytes of accounts, logs and arguments to values and back. Pure; it asks nobody anything."""

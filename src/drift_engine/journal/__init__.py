"""The journal: what a run writes before it acts, and what it can be told from again. Tools to read one: ``reader``."""

from drift_engine.journal.journal import Journal
from drift_engine.journal.record import JournalDamagedError, JournalError, JournalMismatchError, Record, decode, encode

__all__ = ["Journal", "JournalDamagedError", "JournalError", "JournalMismatchError", "Record", "decode", "encode"]

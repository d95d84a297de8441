"""Drift v2's errors by number (``error.rs``)."""

from drift_engine.venues.shared_errors import SHARED

ERRORS = SHARED

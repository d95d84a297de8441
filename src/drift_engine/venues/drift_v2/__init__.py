"""Drift v2: frozen since 2026-04-01, kept for exact maths and for history."""

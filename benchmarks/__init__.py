"""Benchmarks: what a tick, a backtest and an import cost, beside what peers cost on the same data."""

"""The composition root: a run's description in, everything the engine stands on out.

The one place that knows which venue, market data, executor and journal go together. It may import everything but the
engine and the command line.
"""

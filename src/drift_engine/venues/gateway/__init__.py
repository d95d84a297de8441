"""The self-hosted gateway of Drift v2: ``Gateway`` asks it and sends through it, ``stream`` hears its WebSocket.

``client`` is the port of ``core.client`` over it. ``messages`` and ``events`` are what goes in and comes out, in
integers; ``requests`` checks and writes the JSON, ``wire`` and ``event_wire`` read it; ``reads`` asks and changes
nothing.
"""

from drift_engine.venues.gateway.gateway import Gateway

__all__ = ["Gateway"]

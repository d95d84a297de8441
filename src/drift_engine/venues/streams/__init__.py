"""What is told without being asked for: WebSockets that come back by themselves and are honest about gaps.

A node's: ``subscriptions`` keeps its ``watches`` in force on whatever connection there is; ``kept_socket`` below hands
frames to a listener as they come. ``address`` finds where a node serves them.

A service's, beside the chain: ``service_stream`` is iterated over; ``live_socket`` below is asked for the next frame,
and answers with a ``Gap`` where one has its place among them.
"""

"""Real venues behind ``DriftClient``: the wire of Velocity and Drift v2, and the clients that reach them.

Facts: ``program`` is a protocol's record, ``programs`` finds one; ``velocity``, ``drift_v2``, ``rules`` and
``addresses`` fill it. ``wire`` reads and writes bytes, ``instructions`` builds, ``translate`` says it in core's words.

A node: ``rpc`` asks it, ``streams`` hears it; ``transactions`` are signed, sent and followed. On them stand
``snapshot`` (a venue at one moment), ``mirror`` and ``live`` (as it changes), ``trader`` (one sub-account, acted for)
and ``chain_client`` (the same behind the port). ``checks`` is what a doctor looks at.

Services beside the chain: ``gateway``, ``dlob``, ``jito``, ``swift``. What several rooms need lies beside them.
"""

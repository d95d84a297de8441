"""Real venues behind ``DriftClient``: the wire of Velocity and Drift v2, and the clients that reach them."""

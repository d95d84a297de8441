"""The venue programs, played: Velocity and Drift v2 by our own simulated venue behind byte-true accounts."""

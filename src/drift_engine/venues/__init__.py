"""Adapters of real venues: what goes over the wire to the chain and to the services beside it, and nothing else."""

"""Jito's block engine: ``BlockEngine`` sends bundles and transactions, ``TipFloors`` tells what tips landed of late.

``messages`` is what is told of a bundle and what that proves; ``pacing`` keeps to the engine's limit of requests.
"""

from drift_engine.venues.jito.block_engine import MAINNET, TESTNET, BlockEngine, TipFloors

__all__ = ["MAINNET", "TESTNET", "BlockEngine", "TipFloors"]

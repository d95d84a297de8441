"""Decoded accounts into core's words: ``Translator`` makes its markets and accounts.

``held`` is what an account holds, slot by slot; ``oracles`` and ``orders`` are what core's rules on them look at.
"""

from drift_engine.venues.translate.translate import Names, Translator

__all__ = ["Names", "Translator"]

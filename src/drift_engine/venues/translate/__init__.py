"""Decoded accounts into core's words: ``Translator`` makes its markets and accounts.

``held`` is what an account holds, slot by slot; ``oracles`` and ``orders`` are what core's rules on them look at.
"""

from typing import TYPE_CHECKING

from drift_engine.first_use import loaded_on_first_use

if TYPE_CHECKING:
    from drift_engine.venues.translate.translate import Names, Translator
else:
    __getattr__ = loaded_on_first_use(__name__, {"Names": "translate", "Translator": "translate"})

__all__ = ["Names", "Translator"]

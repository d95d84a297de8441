"""Decoded accounts into core's words: ``Translator`` makes its markets and accounts.

``names`` is what markets are called; ``held`` is what an account holds, slot by slot; ``oracles`` and ``orders`` are
what core's rules on them look at.
"""

from typing import TYPE_CHECKING

from drift_engine.first_use import loaded_on_first_use

if TYPE_CHECKING:
    from drift_engine.venues.translate.names import Names
    from drift_engine.venues.translate.translate import Translator
else:
    __getattr__ = loaded_on_first_use(__name__, {"Names": "names", "Translator": "translate"})

__all__ = ["Names", "Translator"]

"""Accounts kept equal to the chain, with their age: ``Mirror`` keeps them, ``Pace`` says how often it looks.

``held_accounts`` decides what is newer and since when it may be out of date, ``slot_times`` when a slot can have begun
at the earliest. Both are pure.
"""

from typing import TYPE_CHECKING

from drift_engine.first_use import loaded_on_first_use

if TYPE_CHECKING:
    from drift_engine.venues.mirror.mirror import Mirror, Pace
else:
    __getattr__ = loaded_on_first_use(__name__, {"Mirror": "mirror", "Pace": "mirror"})

__all__ = ["Mirror", "Pace"]

"""A package's public names, loaded when they are first used.

A package has light parts, such as the types it answers with, and heavy ones, such as what talks to the network. Its
front door names the heavy ones; whoever imports a light part through it must not pay for them.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # ``import drift_engine`` costs what is imported here
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


def loaded_on_first_use(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a package's ``__getattr__``; ``homes`` tells of each name the module in the package that defines it."""

    def load(name: str) -> Any:
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home}"), name)

    return load

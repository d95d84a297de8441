"""Where strategies are found: built in, in a file, or installed as an entry point.

This is the one place that loads a user's strategy code. It lies above ``strategies/`` because that layer does no I/O.
"""

import sys
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isabstract
from pathlib import Path
from typing import NoReturn

from drift_engine.core.near_names import hint
from drift_engine.strategies.base import DriftStrategy
from drift_engine.strategies.delta_neutral import DeltaNeutralStrategy
from drift_engine.strategies.funding_farm import FundingFarmStrategy
from drift_engine.strategies.hold import HoldStrategy

GROUP = "drift_engine.strategies"
_BUILTIN: dict[str, type[DriftStrategy]] = {
    "delta_neutral": DeltaNeutralStrategy,
    "funding_farm": FundingFarmStrategy,
    "hold": HoldStrategy,
}


class StrategyNotFoundError(LookupError):
    """No strategy goes by that name, or the file named does not hold exactly one. The message says how to mend it."""


def builtin() -> tuple[type[DriftStrategy], ...]:
    """Return the strategies that come with the engine, by name."""
    return tuple(_BUILTIN.values())


def find(name: str) -> type[DriftStrategy]:
    """Return the strategy for a built-in name, ``path/to/file.py[:Class]``, or an entry point's name.

    Raises ``StrategyNotFoundError``. An error inside a user's own file is theirs, and comes through as it is.
    """
    if name in _BUILTIN:
        return _BUILTIN[name]
    path, _, class_name = name.partition(".py:")
    if class_name or name.endswith(".py"):
        return _from_file(Path(f"{path}.py" if class_name else name), class_name)
    points = {point.name: point for point in entry_points(group=GROUP)}
    if name in points:
        return _checked(points[name])
    known = sorted({*_BUILTIN, *points})
    raise StrategyNotFoundError(f"no strategy {name!r}; {hint(name, known, ', or path/to/file.py[:Class]')}")


def _checked(point: EntryPoint) -> type[DriftStrategy]:
    found = point.load()
    if not (isinstance(found, type) and issubclass(found, DriftStrategy)) or isabstract(found):
        raise StrategyNotFoundError(f"entry point {point.name!r} = {point.value} is no DriftStrategy")
    return found


def _from_file(path: Path, class_name: str) -> type[DriftStrategy]:
    found = _classes(path)
    if class_name:
        if class_name not in found:
            raise StrategyNotFoundError(f"{path} has no strategy {class_name!r}; {_listed(found)}")
        return found[class_name]
    if len(found) != 1:
        hint = f"; choose one with {path}:Class" if found else ""
        raise StrategyNotFoundError(f"{path} must hold exactly one strategy; {_listed(found)}{hint}")
    return next(iter(found.values()))


def _classes(path: Path) -> dict[str, type[DriftStrategy]]:
    """Run a file as a module and return the concrete strategies it defines itself, not those it imports."""
    if not path.is_file():
        raise StrategyNotFoundError(f"no strategy file {path}")
    name = f"drift_engine_strategy_{path.stem}"
    loader = _SourceAsItIs(name, str(path))
    spec = spec_from_file_location(name, path, loader=loader)
    if spec is None:
        raise StrategyNotFoundError(f"{path} cannot be loaded as Python")
    module = module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
    return {
        found: value
        for found, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, DriftStrategy)
        and value.__module__ == name
        and not isabstract(value)
    }


class _SourceAsItIs(SourceFileLoader):
    """Loads a file as it stands: the cache of compiled code misses an edit of the same second and size."""

    def path_stats(self, path: str) -> NoReturn:
        """Tell of no time and size: then nothing is taken from the cache or put there."""
        raise OSError(f"{path} is loaded without the cache")


def _listed(found: dict[str, type[DriftStrategy]]) -> str:
    return f"it has {', '.join(sorted(found))}" if found else "it has none"

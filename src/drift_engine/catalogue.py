"""Where strategies are found: built in, in a file, or installed as an entry point.

This is the one place that loads a user's strategy code. It lies above ``strategies/`` because that layer does no I/O.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isabstract, iscoroutinefunction
from pathlib import Path
from typing import NoReturn

from drift_engine.core.driving import where
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

    Raises ``StrategyNotFoundError``, also where a user's own file cannot be loaded, with the line it fails at.
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
    with _loading(f"entry point {point.name!r} = {point.value}"):
        found = point.load()
    if not (isinstance(found, type) and issubclass(found, DriftStrategy)) or isabstract(found):
        raise StrategyNotFoundError(f"entry point {point.name!r} = {point.value} is no DriftStrategy")
    return _awaitable(found, point.value)


def _from_file(path: Path, class_name: str) -> type[DriftStrategy]:
    found = _classes(path)
    if class_name:
        if class_name not in found:
            raise StrategyNotFoundError(f"{path} has no strategy {class_name!r}; {_listed(found)}")
        return _awaitable(found[class_name], path)
    if len(found) != 1:
        hint = f"; choose one with {path}:Class" if found else ""
        raise StrategyNotFoundError(f"{path} must hold exactly one strategy; {_listed(found)}{hint}")
    return _awaitable(next(iter(found.values())), path)


def _awaitable(found: type[DriftStrategy], where_from: object) -> type[DriftStrategy]:
    for name in ("on_tick", "on_execute"):
        if not iscoroutinefunction(getattr(found, name)):
            raise StrategyNotFoundError(f"{where_from}: {found.__name__}.{name} must be written `async def {name}`")
    return found


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
    with _loading(str(path)):
        loader.exec_module(module)
    written = {
        found: value
        for found, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, DriftStrategy) and value.__module__ == name
    }
    if written and all(isabstract(value) for value in written.values()):
        found, value = next(iter(written.items()))
        missing = ", ".join(sorted(value.__abstractmethods__))
        raise StrategyNotFoundError(f"{path}: {found} is no strategy yet; write {missing}")
    return {found: value for found, value in written.items() if not isabstract(value)}


@contextmanager
def _loading(what: str) -> Iterator[None]:
    """Say in one line why a user's code cannot be loaded."""
    try:
        yield
    except SyntaxError as error:
        raise StrategyNotFoundError(f"{what} cannot be loaded: {type(error).__name__}: {error}") from error
    except (Exception, SystemExit) as error:
        raise StrategyNotFoundError(f"{what} cannot be loaded: {where(error)}") from error


class _SourceAsItIs(SourceFileLoader):
    """Loads a file as it stands: the cache of compiled code misses an edit of the same second and size."""

    def path_stats(self, path: str) -> NoReturn:
        """Tell of no time and size: then nothing is taken from the cache or put there."""
        raise OSError(f"{path} is loaded without the cache")


def _listed(found: dict[str, type[DriftStrategy]]) -> str:
    return f"it has {', '.join(sorted(found))}" if found else "it has none"

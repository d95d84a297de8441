"""``drift-engine strategies``: each strategy with its parameters, their defaults and units."""

from typing import TYPE_CHECKING, Annotated

import typer

from drift_engine.cli import exits, streams
from drift_engine.cli.options import Json

if TYPE_CHECKING:
    from drift_engine.strategies.base import DriftStrategy


def strategies(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[STRATEGY]...", help="Only these.", show_default=False)
    ] = None,
    *,
    as_json: Json = False,
) -> int:
    """List the strategies with their parameters, defaults and units."""
    from drift_engine.cli.output import print_json

    with streams.only_json(as_json):
        found = _found(names or [])
    if as_json:
        print_json([_described(name, strategy) for name, strategy in found.items()])
    else:
        _show(found)
    return exits.OK


def _found(names: list[str]) -> dict[str, type["DriftStrategy"]]:
    """Return the strategies named, else the built-in ones and those that other packages installed."""
    from importlib.metadata import entry_points

    from drift_engine import catalogue

    if names:
        return {name: catalogue.find(name) for name in names}
    built_in = {strategy().name: strategy for strategy in catalogue.builtin()}
    return built_in | {point.name: catalogue.find(point.name) for point in entry_points(group=catalogue.GROUP)}


def _summary(strategy: type["DriftStrategy"]) -> str:
    """The first sentence of a strategy's module says more than that of its class."""
    import sys

    text = sys.modules[strategy.__module__].__doc__ or strategy.__doc__ or ""
    return " ".join(text.split("\n\n")[0].split())


def _described(name: str, strategy: type["DriftStrategy"]) -> dict[str, object]:
    from msgspec import to_builtins

    from drift_engine.core.parameters import describe

    return {
        "name": name,
        "summary": _summary(strategy),
        "class": f"{strategy.__module__}:{strategy.__qualname__}",
        "parameters": [to_builtins(row) for row in describe(strategy.Params)],
    }


def _show(found: dict[str, type["DriftStrategy"]]) -> None:
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    from drift_engine.cli.output import out
    from drift_engine.core.parameters import describe

    console = out()
    for name, strategy in found.items():
        console.print(Text(name, style="bold"))
        console.print(Text(_summary(strategy)))
        table = Table(box=SIMPLE, pad_edge=False)
        for heading in ("parameter", "default", "unit", "what it is for"):
            table.add_column(heading, overflow="fold", no_wrap=heading == "parameter")
        for row in describe(strategy.Params):
            table.add_row(*(Text(cell) for cell in (row.name, row.default or "(empty)", row.unit, row.text)))
        console.print(table)
    console.print(Text("Your own: drift-engine paper path/to/file.py[:Class] --set parameter=value", style="dim"))

"""Which strategies there are and what they take, as forms are made from: the declarations of the strategies themselves.

A strategy in a user's file is known by the engine that runs it, and is listed with what that engine says of it.
"""

import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from typing import Any, get_type_hints

from drift_engine import catalogue
from drift_engine.core.parameters import describe
from drift_engine.strategies.base import DriftStrategy


def strategies(statuses: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return each strategy with name, a line of text and its parameters."""
    kinds = {kind().name: kind for kind in catalogue.builtin()}
    kinds |= {point.name: catalogue.find(point.name) for point in entry_points(group=catalogue.GROUP)}
    found = {name: _declared(name, kind) for name, kind in kinds.items()}
    for status in statuses:
        name = status.get("strategy")
        if name and name not in found:
            params = status.get("params") or {}
            rows = [{"name": key, **value} for key, value in params.items() if isinstance(value, Mapping)]
            found[name] = {"name": name, "text": "", "params": rows}
    return list(found.values())


def _declared(name: str, kind: type[DriftStrategy]) -> dict[str, Any]:
    types = get_type_hints(kind.Params)
    params = [
        {"name": row.name, "default": row.default, "type": _type(types[row.name]), "unit": row.unit, "help": row.text}
        for row in describe(kind.Params)
    ]
    text = sys.modules[kind.__module__].__doc__ or kind.__doc__ or ""
    return {"name": name, "text": " ".join(text.split("\n\n")[0].split()), "params": params}


def _type(kind: type) -> str:
    return {"Decimal": "decimal", "int": "integer", "float": "number", "bool": "boolean"}.get(kind.__name__, "text")

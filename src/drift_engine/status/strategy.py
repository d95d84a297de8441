"""What a strategy tells of itself, in a form that a page can draw without knowing it: its words, figures, parameters.

``metrics`` takes every number out of ``get_status()``; the name's ending says its scale and unit. A strategy that wants
a unit or a severity of its own gives a mapping with ``value`` in place of the number.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Protocol, get_args, get_type_hints

from drift_engine.core.driving import where
from drift_engine.core.parameters import Parameters, describe

_SCALES = {"e4": (4, ""), "e6": (6, ""), "e9": (9, ""), "e10": (10, "")}
_UNITS = {"ms": "ms", "s": "s", "h": "h", "bps": "bp", "slots": "slots", "pct": "%", "count": ""}
_TYPES = {bool: "flag", int: "integer", Decimal: "number", float: "number", str: "text"}
SEVERITIES = ("ok", "warn", "critical", "none")


class Told(Protocol):
    """A strategy, as far as it is told of here."""

    params: Parameters

    def get_status(self) -> dict[str, Any]:
        """Return plain values."""
        ...


def strategy_status(strategy: Told) -> dict[str, Any]:
    """Return a strategy's own status, the figures in it, and its parameters.

    Whoever looks does not end the engine: a status that fails is shown as its error.
    """
    try:
        said = strategy.get_status()
    except Exception as error:  # noqa: BLE001 - it is shown, and costs no watch over margin
        said = {"error": where(error)}
    if not isinstance(said, Mapping):
        said = {"error": f"get_status() returned {type(said).__name__}; it must be a mapping"}
    return {"strategy_status": said, "metrics": metrics(said), "params": params_status(strategy.params)}


def metrics(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every figure of a status as ``{label, value, unit, severity}``, in the order it is told."""
    return [row for name, value in said.items() for row in _rows(str(name), value)]


def _rows(name: str, value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, Mapping):
        if "value" in value:
            yield _own_row(name, value)
        else:
            for inner, found in value.items():
                yield from _rows(str(inner), found)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool) and not name.endswith("_ns"):
        label, figure, unit = _read(name, value)
        yield {"label": label, "value": figure, "unit": unit, "severity": "none"}


def _own_row(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    severity = row.get("severity", "none")
    return {
        "label": str(row.get("label", name.replace("_", " "))),
        "value": row["value"],
        "unit": str(row.get("unit", "")),
        "severity": severity if severity in SEVERITIES else "none",
    }


def _read(name: str, value: float | Decimal) -> tuple[str, float, str]:
    stem, _, ending = name.rpartition("_")
    if stem and ending in _SCALES:
        decimals, unit = _SCALES[ending]
        return stem.replace("_", " "), float(Decimal(value).scaleb(-decimals)), unit
    if stem and ending in _UNITS:
        return stem.replace("_", " "), float(value), _UNITS[ending]
    return name.replace("_", " "), float(value), ""


def params_status(params: Parameters) -> dict[str, dict[str, str]]:
    """Return each parameter with its value, default, type, unit and what it is for."""
    record = type(params)
    hints = get_type_hints(record)
    return {
        row.name: {
            "value": str(getattr(params, row.name)),
            "default": row.default,
            "type": _type(hints[row.name]),
            "unit": row.unit,
            "help": row.text,
        }
        for row in describe(record)
    }


def _type(hint: Any) -> str:
    plain = next((kind for kind in (*get_args(hint), hint) if kind in _TYPES), None)
    return "text" if plain is None else _TYPES[plain]

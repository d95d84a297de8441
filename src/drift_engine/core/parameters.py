"""A strategy's parameters: one frozen record, the single declaration that CLI, TOML, page and sweep read.

Each field has a default, a unit and a line of text. Money and sizes are ``Decimal`` in human units; they are turned
into scaled integers once, where the strategy is made.
"""

from collections.abc import Mapping
from typing import Any, TypeVar, get_type_hints

import msgspec
from msgspec import Struct

from drift_engine.core.near_names import hint

P = TypeVar("P", bound="Parameters")


class ParameterError(ValueError):
    """A parameter is unknown or out of its range. The message says which, and how to mend it."""


class Parameters(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every strategy's parameter record."""


class Unit(Struct, frozen=True):
    """The unit of a parameter and what it is for; stands in the field's ``Annotated``."""

    name: str
    text: str


class Description(Struct, frozen=True):
    """One parameter as shown to people."""

    name: str
    default: str
    unit: str
    text: str


def describe(record: type[Parameters]) -> tuple[Description, ...]:
    """Return a line for each parameter, in the order of declaration."""
    hints = get_type_hints(record, include_extras=True)
    rows = []
    for name, default in zip(record.__struct_fields__, record.__struct_defaults__, strict=True):
        unit = next(meta for meta in hints[name].__metadata__ if isinstance(meta, Unit))
        rows.append(Description(name, str(default), unit.name, unit.text))
    return tuple(rows)


def shown(params: Parameters) -> dict[str, str]:
    """Return every parameter as a person would write it."""
    return {name: str(getattr(params, name)) for name in params.__struct_fields__}


def parse(record: type[P], config: "P | Mapping[str, Any] | None") -> P:
    """Return the record for a mapping of human figures, the defaults for ``None``, a record as it is.

    Raises ``ParameterError`` with the near name for an unknown key, and with the field's path for a bad value.
    """
    if isinstance(config, record):
        return config
    if config is None:
        return record()
    if not isinstance(config, Mapping):
        raise ParameterError(f"parameters are a {record.__name__} or a mapping, not {type(config).__name__}")
    for key in config:
        if key not in record.__struct_fields__:
            raise ParameterError(f"unknown parameter {str(key)!r}; {hint(str(key), record.__struct_fields__)}")
    try:
        return msgspec.convert({key: _text(value) for key, value in config.items()}, record, strict=False)
    except msgspec.ValidationError as error:
        raise ParameterError(f"bad parameter: {error}") from None


def _text(value: object) -> object:
    """Numbers go through text, so that 0.1 means 0.1 and not the nearest binary fraction."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value

"""The rooms of ``venues``: what their doors offer, and that a light part costs no more through its room's door."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import drift_engine.venues

HOME = Path(drift_engine.venues.__path__[0])
ROOMS = sorted(path.parent.name for path in HOME.glob("*/__init__.py"))
# What may be imported without what talks to the network.
LIGHT = (
    "dlob.messages",
    "mirror.held_accounts",
    "rpc.calls",
    "rpc.errors",
    "rpc.types",
    "snapshot",
    "streams.watches",
    "trader.order_forms",
    "transactions.order_template",
    "translate.orders",
)


def promised(room: str) -> dict[str, str]:
    """Return each name of a room's ``__all__`` with the module in the room that it is imported from."""
    tree = ast.parse((HOME / room / "__init__.py").read_text())
    found = {
        name.name: node.module or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    offered = getattr(import_module(f"drift_engine.venues.{room}"), "__all__", [])
    return {name: found[name] for name in offered}


@pytest.mark.parametrize("room", ROOMS)
def test_a_door_offers_what_its_room_defines(room: str) -> None:
    door = import_module(f"drift_engine.venues.{room}")
    for name, module in promised(room).items():
        assert module.startswith(f"drift_engine.venues.{room}.")
        assert getattr(door, name) is getattr(import_module(module), name)


def test_what_a_door_does_not_offer_is_missing() -> None:
    rpc = import_module("drift_engine.venues.rpc")
    with pytest.raises(AttributeError, match=r"module 'drift_engine\.venues\.rpc' has no attribute 'Rcp'"):
        _ = rpc.Rcp


def test_light_parts_load_nothing_heavy() -> None:
    script = (
        f"import sys; from importlib import import_module\n"
        f"for name in {LIGHT}: import_module('drift_engine.venues.' + name)\n"
        "print(sorted({'aiohttp', 'asyncio', 'numpy', 'sqlite3'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"

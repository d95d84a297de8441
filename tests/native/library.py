"""Drift's own native code, called by ctypes: the C library inside the wheel ``driftpyrs`` (Drift v2, February 2026).

Its functions are the exports of ``drift-ffi-sys`` (``src/exports.rs``) and take the program's structs as they lie in
memory: an account without its eight bytes of discriminator, aligned to eight. Results are ``RResult<T, u32>``: a tag,
then the value or the program's error code. The layouts below were found by calling it (x86-64, rustc 1.76).
"""

import ctypes as c
import sys
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from platform import machine
from typing import Any

INITIAL, FILL, MAINTENANCE = 0, 1, 2
KINDS = {"initial": INITIAL, "fill": FILL, "maintenance": MAINTENANCE}


class NativeError(Exception):
    """The program refused; ``code`` is its error number."""

    def __init__(self, code: int) -> None:
        super().__init__(f"error {code}")
        self.code = code


def absent() -> str | None:
    """Return why the library cannot be called here, ``None`` where it can."""
    if not (sys.platform == "linux" and machine() == "x86_64"):
        return "Drift's native code is built for Linux on x86-64 only"
    return None if _path() else "driftpyrs is not installed: run make test, or pip install --no-deps driftpyrs==0.1.0"


def _path() -> Path | None:
    spec = find_spec("driftpyrs")
    if spec is None or spec.origin is None:
        return None
    return next(Path(spec.origin).parent.parent.glob("driftpyrs.libs/libdrift_ffi_sys-*.so"), None)


@cache
def library() -> c.CDLL:
    """Return the library."""
    path = _path()
    assert path is not None
    return c.CDLL(str(path))


class Wide(c.Structure):
    """A 128-bit integer, passed in two registers."""

    _fields_ = [("low", c.c_uint64), ("high", c.c_uint64)]

    @classmethod
    def of(cls, value: int) -> "Wide":
        return cls(value & (1 << 64) - 1, (value >> 64) & (1 << 64) - 1)


class Maybe(c.Structure):
    """``Option<i64>`` or ``Option<u64>``: 1 and a value, or 0."""

    _fields_ = [("tag", c.c_uint64), ("value", c.c_int64)]

    @classmethod
    def of(cls, value: int | None) -> "Maybe":
        return cls(0, 0) if value is None else cls(1, value)


class Quick(c.Structure):
    """A result whose value is of eight bytes; an error's code stands before it."""

    _fields_ = [("tag", c.c_uint8), ("_", c.c_uint8 * 3), ("code", c.c_uint32), ("value", c.c_int64)]


class Small(c.Structure):
    """A result whose value is of four bytes."""

    _fields_ = [("tag", c.c_uint8), ("value", c.c_uint32)]


class Tiny(c.Structure):
    """A result whose value is of one byte, at the tag's heels; an error's code follows at four."""

    _fields_ = [("tag", c.c_uint8), ("value", c.c_uint8), ("_", c.c_uint8 * 2), ("code", c.c_uint32)]


def raw(data: bytes | bytearray) -> c.Array[c.c_uint64]:
    """Return bytes in memory that is aligned to eight, zero-padded."""
    memory = (c.c_uint64 * (len(data) // 8 + 2))()
    c.memmove(memory, bytes(data), len(data))
    return memory


def account(data: bytes | bytearray) -> c.Array[c.c_uint64]:
    """Return an account's memory without its discriminator."""
    return raw(data[8:])


def wide_result(name: str, *arguments: Any) -> int:
    """Call a function that returns a 128-bit integer, signed."""
    out = (c.c_uint64 * 4)()
    library()[name](c.byref(out), *arguments)
    if out[0] & 0xFF:
        raise NativeError(out[0] >> 32)
    return int.from_bytes(bytes(out)[16:32], "little", signed=True)


def quick_result(name: str, *arguments: Any) -> int:
    """Call a function that returns a number of 64 bits."""
    function = library()[name]
    function.restype = Quick
    result = function(*arguments)
    if result.tag:
        raise NativeError(result.code)
    return int(result.value)


def small_result(name: str, *arguments: Any) -> int:
    """Call a function that returns a number of 32 bits."""
    function = library()[name]
    function.restype = Small
    result = function(*arguments)
    if result.tag:
        raise NativeError(result.value)
    return int(result.value)


def tiny_result(name: str, *arguments: Any) -> bool:
    """Call a function that returns a flag."""
    function = library()[name]
    function.restype = Tiny
    result = function(*arguments)
    if result.tag:
        raise NativeError(result.code)
    return bool(result.value)


class _Account(c.Structure):
    """``AccountWithKey``: an address and the account there."""

    _fields_ = [
        ("key", c.c_uint8 * 32),
        ("lamports", c.c_uint64),
        ("capacity", c.c_uint64),
        ("data", c.c_void_p),
        ("length", c.c_uint64),
        ("owner", c.c_uint8 * 32),
        ("executable", c.c_uint64),
        ("rent_epoch", c.c_uint64),
    ]


class _Accounts(c.Structure):
    """``AccountsList``: perp markets, spot markets and oracles, guard rails or none, the slot."""

    _fields_ = [
        ("perps", c.c_void_p), ("n_perps", c.c_uint64), ("spots", c.c_void_p), ("n_spots", c.c_uint64),
        ("oracles", c.c_void_p), ("n_oracles", c.c_uint64), ("has_rails", c.c_uint64), ("rails", c.c_int64 * 6),
        ("slot", c.c_uint64),
    ]  # fmt: skip


Keyed = tuple[bytes, bytes, bytes]
"""An address, its owner, and the account's bytes with the discriminator."""


class Accounts:
    """Accounts in the library's form; it keeps the memory alive."""

    def __init__(
        self,
        perps: Sequence[Keyed],
        spots: Sequence[Keyed],
        oracles: Sequence[Keyed],
        slot: int,
        rails: Sequence[int] | None = None,
    ) -> None:
        self._kept: list[Any] = []
        self.oracles = oracles
        lists = [self._list(accounts) for accounts in (perps, spots, oracles)]
        self.struct = _Accounts(
            *(item for pair in lists for item in pair), 0 if rails is None else 1, (c.c_int64 * 6)(*(rails or ())), slot
        )

    def _list(self, accounts: Sequence[Keyed]) -> tuple[int, int]:
        array = (_Account * max(1, len(accounts)))()
        for entry, (key, owner, data) in zip(array, accounts, strict=False):
            memory = raw(data)
            self._kept.append(memory)
            entry.key[:], entry.owner[:] = key, owner
            entry.lamports, entry.capacity, entry.length = 10**9, len(data), len(data)
            entry.data = c.addressof(memory)
        self._kept.append(array)
        return c.addressof(array), len(accounts)


class _Mode(c.Structure):
    _fields_ = [("tag", c.c_uint32), ("value", c.c_uint32)]


_MODES = {"maintenance": _Mode(0, 0), "initial": _Mode(1, 0), "fill": _Mode(2, FILL)}


class NativeMargin:
    """The program's margin: collateral and requirement of the cross margin, and of isolated positions by market."""

    def __init__(self, words: bytes) -> None:
        self._words = words
        self.totals = self._at(0), self._at(16)
        found = ((words[at + 64], (self._at(at + 16), self._at(at))) for at in range(112, 112 + 8 * 80, 80))
        self.isolated = {index: figures for index, figures in found if figures != (0, 0)}

    def _at(self, offset: int) -> int:
        return int.from_bytes(self._words[offset : offset + 16], "little", signed=True)


def margin(user: bytes | bytearray, accounts: Accounts, kind: str) -> NativeMargin:
    """Return the margin of a user account (with its discriminator)."""
    out = (c.c_uint64 * 256)()
    name = "math_calculate_margin_requirement_and_total_collateral_and_liability_info"
    library()[name](c.byref(out), account(user), c.byref(accounts.struct), _MODES[kind])
    if out[0] & 0xFF:
        raise NativeError(out[0] >> 32)
    return NativeMargin(bytes(out)[16:])


class Params(c.Structure):
    """``OrderParams`` in C's layout (``src/types.rs``): options are a tag of their value's size, then the value."""

    _fields_ = [
        ("kind", c.c_uint8), ("market_type", c.c_uint8), ("direction", c.c_uint8), ("user_order_id", c.c_uint8),
        ("base", c.c_uint64), ("price", c.c_uint64), ("market_index", c.c_uint16), ("reduce_only", c.c_uint8),
        ("post_only", c.c_uint8), ("bit_flags", c.c_uint8), ("max_ts", Maybe), ("trigger_price", Maybe),
        ("trigger", c.c_uint8), ("has_offset", c.c_uint32), ("offset", c.c_int32), ("has_duration", c.c_uint8),
        ("duration", c.c_uint8), ("start", Maybe), ("end", Maybe),
    ]  # fmt: skip


def optional(maybe: Maybe) -> int | None:
    """Return an option's value."""
    return int(maybe.value) if maybe.tag else None


class MaybeNumber(c.Structure):
    """``ROption<i64>``: 0 and a value, or 1."""

    _fields_ = [("tag", c.c_uint8), ("value", c.c_int64)]

    @classmethod
    def of(cls, value: int | None) -> "MaybeNumber":
        return cls(1, 0) if value is None else cls(0, value)


class Protected(c.Structure):
    """``Option<ProtectedMakerParams>``, none."""

    _fields_ = [("words", c.c_uint64 * 4)]


def optional_result(name: str, *arguments: Any) -> int | None:
    """Call a function that returns an optional number."""
    out = (c.c_uint64 * 4)()
    library()[name](c.byref(out), *arguments)
    if out[0] & 0xFF:
        raise NativeError(out[0] >> 32)
    return out[2] if out[1] else None


class OracleData(c.Structure):
    """``OraclePriceData`` as rustc lays it: the optional sequence number first."""

    _fields_ = [
        ("has_sequence", c.c_uint64), ("sequence", c.c_uint64), ("price", c.c_int64), ("confidence", c.c_uint64),
        ("delay", c.c_int64), ("sufficient", c.c_uint8),
    ]  # fmt: skip


class _OracleResult(c.Structure):
    _fields_ = [("tag", c.c_uint64), ("data", OracleData)]


def oracle_price(source: int, owner: bytes, data: bytes, slot: int) -> OracleData:
    """Return what an oracle account says by a market's source."""
    memory, entry, out = raw(data), _Account(), _OracleResult()
    entry.lamports, entry.capacity, entry.length, entry.data = 10**9, len(data), len(data), c.addressof(memory)
    entry.owner[:] = owner
    library().oracle_get_oracle_price(c.byref(out), c.c_uint8(source), c.byref(entry), c.c_uint64(slot))
    if out.tag & 0xFF:
        raise NativeError(out.tag >> 32)
    found: OracleData = out.data
    return found


_VALIDITIES = {
    2: "non_positive", 3: "too_volatile", 4: "too_uncertain", 5: "stale_for_margin", 6: "insufficient_data_points",
    8: "valid",
}  # fmt: skip
_VALIDITY_AT = 18 * 8


def validity(market: Any, oracle: OracleData, slot: int, rails: Sequence[int]) -> str:
    """Return how valid a market's own (mm) oracle is, which is judged with the oracle's confidence.

    The enum is two bytes: those of ``StaleForAMM``, or in the second one the number of another variant.
    """
    out = (c.c_uint64 * 40)()
    library().perp_market_get_mm_oracle_price_data(
        c.byref(out), market, oracle, c.c_uint64(slot), (c.c_int64 * 4)(*rails)
    )
    if out[0] & 0xFF:
        raise NativeError(out[0] >> 32)
    low_risk = bytes(out)[_VALIDITY_AT + 1]
    return _VALIDITIES.get(low_risk) or ("stale_for_amm" if low_risk else "stale_for_amm_immediate")

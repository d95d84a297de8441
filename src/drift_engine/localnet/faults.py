"""Faults on demand: what may go wrong between a client and a real chain, set by hand and struck deterministically.

A fault with ``next`` strikes that many times from now on; one with ``rate`` strikes a share of the time, drawn from a
generator of its own: the same seed, settings and requests give the same faults. ``on`` lasts until it is cleared.

| fault | strikes | what happens |
|---|---|---|
| drop | a sent transaction | it is accepted and never lands |
| delay | a sent transaction | it runs ``slots`` slots later, or finds its blockhash expired |
| duplicate | a notification | it is sent twice |
| reorder | a notification | it is sent after the one that follows it |
| replay | a notification | after it, the one before it of its subscription is sent again |
| too_many_requests | an HTTP request | 429, Retry-After ``retry_after_s``; also beyond ``per_s`` requests a second |
| stale | a read | it is answered as of ``slots`` blocks ago; the node calls itself behind |
| stall | while ``on`` | WebSockets stay open and say nothing: what they would have said is lost |
| disconnect | at once | every WebSocket is cut |
| fork | at once | the open block and the ``slots`` before it are rolled back with their transactions |
"""

from collections import Counter
from random import Random
from time import monotonic
from typing import Literal, get_args

import msgspec

Kind = Literal["drop", "delay", "duplicate", "reorder", "replay", "too_many_requests", "stale", "stall"]
Act = Literal["disconnect", "fork"]
KINDS: tuple[str, ...] = get_args(Kind)
ACTS: tuple[str, ...] = get_args(Act)


class BadFaultError(ValueError):
    """A fault nobody knows, or with settings that make none: the message says what is possible."""


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a fault strikes; see the table above. ``rate`` and ``per_s`` of 0 mean never and without limit."""

    next: int = 0
    rate: float = 0.0
    slots: int = 1
    on: bool = False
    per_s: float = 0.0
    retry_after_s: int = 1

    def __post_init__(self) -> None:
        """Refuse what would be no fault."""
        if self.next < 0 or self.slots < 1 or self.per_s < 0 or not 0 <= self.rate <= 1:
            raise BadFaultError("a fault has next >= 0, slots >= 1, per_s >= 0 and a rate from 0 to 1")


class Faults:
    """The faults that are set, and how often each has struck."""

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self._set: dict[str, Fault] = {}
        self._draws = {kind: Random(f"{seed}/{kind}") for kind in KINDS}  # noqa: S311 - faults are no secret
        self._window = (0, 0)
        self.struck: Counter[str] = Counter()

    def set(self, kind: str, fault: Fault) -> None:
        """Set a fault, in place of what was set for its kind."""
        if kind not in KINDS:
            raise BadFaultError(f"no fault is called {kind!r}; there are {', '.join((*KINDS, *ACTS))}")
        self._set[kind] = fault

    def clear(self, kind: str = "") -> None:
        """Unset one fault, or all."""
        for name in [kind] if kind else list(self._set):
            self._set.pop(name, None)

    def peek(self, kind: Kind) -> Fault | None:
        """Return what is set for a kind, striking nothing."""
        return self._set.get(kind)

    def strike(self, kind: Kind) -> Fault | None:
        """Return the fault if it strikes now."""
        fault = self._set.get(kind)
        if fault is None:
            return None
        if fault.next:
            self._set[kind] = msgspec.structs.replace(fault, next=fault.next - 1)
        elif not (fault.on or (fault.rate and self._draws[kind].random() < fault.rate)):
            return None
        self.struck[kind] += 1
        return fault

    def refuse_request(self) -> Fault | None:
        """Return the fault if an HTTP request is one too many: by count, by chance, or over the limit a second."""
        kind: Kind = "too_many_requests"
        if (fault := self.strike(kind)) is not None:
            return fault
        limit = self._set.get(kind)
        if limit is None or not limit.per_s:
            return None
        second = int(monotonic())
        begun, count = self._window
        self._window = (second, count + 1 if begun == second else 1)
        if self._window[1] <= limit.per_s:
            return None
        self.struck[kind] += 1
        return limit

    def shown(self) -> dict[str, object]:
        """Return what is set and what has struck, for the control's answer."""
        return {"set": self._set, "struck": dict(self.struck)}

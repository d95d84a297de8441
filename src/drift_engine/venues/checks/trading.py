"""May one trade: is the exchange open, are the markets, are their oracles good, may the key act, can it pay?"""

from collections.abc import Iterator, Sequence

from solders.pubkey import Pubkey

from drift_engine.core.oracle_validity import accepts
from drift_engine.venues.checks.check import BUILD_MEND, Check, Verdict
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.program import Program
from drift_engine.venues.snapshot.market_reads import AnyRead
from drift_engine.venues.wire.enums import ExchangeStatus, MarketStatus, PerpOperation, SpotOperation
from drift_engine.venues.wire.state import State

MIN_GAS_LAMPORTS = 20_000_000
_LAMPORTS = 10**9
_STOPPING = (
    ExchangeStatus.DEPOSIT_PAUSED | ExchangeStatus.WITHDRAW_PAUSED | ExchangeStatus.AMM_PAUSED
    | ExchangeStatus.FILL_PAUSED | ExchangeStatus.SETTLE_PNL_PAUSED
)  # fmt: skip
"""Without these an account cannot be brought into order."""
_FROZEN = 0xFF
_GONE = frozenset({MarketStatus.SETTLEMENT, MarketStatus.DELISTED, MarketStatus.INITIALIZED})


def exchange(program: Program, state: State) -> Check:
    """Is anything paused for the whole exchange (``State.exchange_status``)?"""
    bits = state.exchange_status
    if bits == 0:
        solvency = state.solvency_status if "solvency_status" in program.layouts.state else 0
        if solvency:
            return Check("exchange", "warn", "solvency repair is paused: bankruptcies wait", "wait, and watch balances")
        return Check("exchange", "ok", "nothing is paused")
    names = ", ".join(_words(flag.name) for flag in ExchangeStatus(bits))
    mend = "do not open anything; wait until the protocol's admins lift it"
    if bits == _FROZEN:
        return Check("exchange", "fail", f"the exchange is frozen: everything is paused (status {bits})", mend)
    verdict: Verdict = "fail" if bits & _STOPPING else "warn"
    return Check("exchange", verdict, f"paused: {names} (status {bits})", mend)


def market(program: Program, read: AnyRead, kind: str) -> Check:
    """Is a market open, and is its oracle one that margin may be counted by?"""
    name = f"{kind} {read.name}"
    if read.view is None or read.market is None:
        return Check(name, "fail", "; ".join(read.problems) or "could not be read", BUILD_MEND)
    try:
        status = program.rules.market_status(read.view.status)
    except DecodeError as error:
        return Check(name, "fail", str(error), BUILD_MEND)
    flags: PerpOperation | SpotOperation
    flags = PerpOperation(read.view.paused_operations) if kind == "perp" else SpotOperation(read.view.paused_operations)
    paused = f", paused: {', '.join(_words(flag.name) for flag in flags)}" if flags else ""
    said = f"{status.value}{paused}"
    if read.oracle is None or read.validity is None:
        verdict: Verdict = "warn" if status in _GONE else "fail"
        return Check(name, verdict, f"{said}; {'; '.join(read.problems)}", "trade nothing that needs this price")
    said += f", oracle {read.validity.replace('_', ' ')}, {read.oracle.delay_slots} slots old"
    if not accepts("margin", read.validity):
        verdict = "warn" if status in _GONE else "fail"
        return Check(name, verdict, said, "trade nothing in it until its oracle is good again")
    if status is not MarketStatus.ACTIVE or flags:
        return Check(name, "warn", said, "only what reduces may go through")
    if not accepts("fill_amm_low_risk", read.validity):
        return Check(name, "warn", said, "the vAMM will not fill until the price is fresh")
    good = "good" if read.validity in ("valid", "stale_for_amm_immediate") else read.validity
    return Check(name, "ok", f"{status.value}, oracle {good}, {read.oracle.delay_slots} slots old")


def markets(program: Program, perps: Sequence[AnyRead], spots: Sequence[AnyRead]) -> Iterator[Check]:
    """Return a check for each market."""
    yield from (market(program, read, "perp") for read in perps)
    yield from (market(program, read, "spot") for read in spots)


def _words(name: str | None) -> str:
    return (name or "?").lower().replace("_paused", "").replace("_", " ")


def key_rights(rights: Sequence[tuple[int, str]], address: Pubkey, authority: Pubkey) -> Check:
    """What may the key do with the sub-accounts? ``rights`` are pairs of number and ``keys.Rights``."""
    name = f"key {address}"
    if not rights:
        whose = "it has" if address == authority else f"{authority} has"
        mend = "open an account and deposit first, or name the AUTHORITY that the key is delegate of"
        return Check(name, "warn", f"{whose} no sub-account here", mend)
    none = [number for number, right in rights if right == "none"]
    if len(none) == len(rights):
        return Check(
            name,
            "fail",
            f"no rights on any sub-account of {authority}",
            "use its key, or have it make this one its delegate",
        )
    said = ", ".join(f"sub-account {number}: {right}" for number, right in rights)
    return Check(name, "warn" if none else "ok", said, "it cannot act for all of them" if none else "")


def gas(address: Pubkey, lamports: int) -> Check:
    """Has the key enough SOL for fees?"""
    sol = f"{lamports / _LAMPORTS:.4f} SOL"
    if lamports < MIN_GAS_LAMPORTS:
        needed = f"{MIN_GAS_LAMPORTS / _LAMPORTS:g} SOL"
        return Check("gas", "fail", f"{sol}: less than {needed}", f"send SOL to {address}: fees are paid from it")
    return Check("gas", "ok", sol)

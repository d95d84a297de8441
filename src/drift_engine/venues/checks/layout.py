"""Is the program on this chain the one that this package reads: its owner, its sizes, its fields where they must be?

Sources of the sizes and places: the layouts of each protocol (``venues/velocity``, ``venues/drift_v2``).
"""

from collections.abc import Iterable, Sequence

from solders.pubkey import Pubkey

from drift_engine.venues import addresses
from drift_engine.venues.checks.check import BUILD_MEND, NETWORK_MEND, Check
from drift_engine.venues.program import Program
from drift_engine.venues.programs import PROGRAMS
from drift_engine.venues.rpc.types import AccountInfo
from drift_engine.venues.snapshot.market_reads import AnyRead


def program_there(program: Program, info: AccountInfo | None, others: Iterable[Program] = ()) -> Check:
    """Is the program on this chain? ``others`` are those of ours that are."""
    name = f"program {program.program_id}"
    if info is not None and info.exists and info.executable:
        return Check(name, "ok", f"{program.name} is on this chain")
    there = [other.name for other in others]
    hint = f": --venue {there[0]} is on it" if there else ""
    what = "is no program on this chain" if info is not None and info.exists else "is not on this chain"
    return Check(name, "fail", f"{program.name} {what}{hint}", NETWORK_MEND)


def state_layout(program: Program, info: AccountInfo | None) -> Check:
    """Is State the program's own, of the size and with the signer where this build reads it?"""
    layout, name = program.layouts.state, f"state {program.state}"
    if info is None or not info.exists:
        return Check(name, "fail", f"{program.name} has no State here: it was never set up on this chain", NETWORK_MEND)
    if info.owner != program.program_id:
        return Check(name, "fail", f"it belongs to {info.owner}, not to {program.name}: wrong program", NETWORK_MEND)
    if info.data[:8] != layout.head:
        return Check(name, "fail", f"it starts with {info.data[:8].hex()}, which is no State", BUILD_MEND)
    if len(info.data) != layout.size:
        age = "an older" if len(info.data) < layout.size else "another"
        said = f"State has {len(info.data)} bytes and not {layout.size}: {age} layout"
        return Check(name, "fail", said, BUILD_MEND)
    at = layout.offsets["signer"]
    if info.data[at : at + 32] != bytes(program.signer):
        said = f"the bytes at {at} are {Pubkey(info.data[at : at + 32])}, not the derived signer {program.signer}"
        return Check(name, "fail", f"{said}: another layout", BUILD_MEND)
    return Check(name, "ok", f"State has {layout.size} bytes, the derived signer at {at}")


def market_layout(program: Program, reads: Sequence[AnyRead], kind: str) -> Check:
    """Do the markets say their own index and address where this build reads them?"""
    layout = program.layouts.perp_market if kind == "perp" else program.layouts.spot_market
    at, name = layout.offsets["market_index"], f"{kind} market layout"
    wrong = [read for read in reads if read.view is not None and _misplaced(program, read, kind)]
    if wrong:
        view = wrong[0].view
        said = f"market {wrong[0].index} says index {view.market_index if view else '?'} at {at}: another layout"
        return Check(name, "fail", said, BUILD_MEND)
    good = sum(read.view is not None for read in reads)
    if not good:
        return Check(name, "fail" if reads else "warn", f"no {kind} market could be read", BUILD_MEND)
    return Check(name, "ok", f"{good} markets, market_index at {at}")


def _misplaced(program: Program, read: AnyRead, kind: str) -> bool:
    derive = addresses.perp_market if kind == "perp" else addresses.spot_market
    view = read.view
    return view is not None and (
        view.market_index != read.index or view.pubkey != derive(program.program_id, read.index)
    )


def on_chain(found: Iterable[AccountInfo | None]) -> list[Program]:
    """Return those of our programs that are on a chain, out of their accounts."""
    there = {info.pubkey for info in found if info is not None and info.executable}
    return [program for program in PROGRAMS.values() if program.program_id in there]

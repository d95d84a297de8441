"""Do the nodes answer, are they at the newest slot, and does the clock here agree with the chain's?"""

from collections.abc import Sequence
from statistics import median

from msgspec import Struct

from drift_engine.venues.checks.check import Check, Verdict

SKEW_WARN_S, SKEW_FAIL_S = 4.0, 10.0
LAG_WARN_SLOTS, LAG_FAIL_SLOTS = 8, 75
SLOW_MS = 500
_HTTP_MEND = "check the address, its key and the network, or name another node by --rpc"


class Node(Struct, frozen=True):
    """What one node answered: its name without keys, how long each question took, or why there was no answer.

    ``behind`` is by how many slots it says it is behind, ``None`` where it says it is well.
    """

    name: str
    latencies_ms: tuple[float, ...] = ()
    slot: int | None = None
    version: str = ""
    behind: int | None = None
    trouble: str = ""


def http_node(node: Node) -> Check:
    """Does the node answer, and how fast?"""
    if node.slot is None:
        return Check(f"rpc {node.name}", "fail", node.trouble or "did not answer", _HTTP_MEND)
    said = f"answers in {median(node.latencies_ms):.0f} ms, slot {node.slot:,}, software {node.version or 'not known'}"
    if node.behind is not None:
        verdict: Verdict = "fail" if node.behind > LAG_FAIL_SLOTS else "warn"
        return Check(
            f"rpc {node.name}", verdict, f"{said}; it is {node.behind} slots behind", "wait, or ask another node"
        )
    if median(node.latencies_ms) > SLOW_MS:
        return Check(f"rpc {node.name}", "warn", f"{said}: slow", "use a node that is nearer, or your own")
    return Check(f"rpc {node.name}", "ok", said)


def ws_node(name: str, slot: int | None, after_ms: float | None, trouble: str, http_slot: int | None) -> Check:
    """Does the stream tell of slots, and of the newest?"""
    if slot is None or after_ms is None:
        mend = "check the address (--ws); without a stream figures are asked for every two seconds"
        return Check(f"ws {name}", "fail", trouble or "told of no slot", mend)
    said = f"told of slot {slot:,} after {after_ms:.0f} ms"
    lag = 0 if http_slot is None else http_slot - slot
    if lag > LAG_WARN_SLOTS:
        verdict: Verdict = "fail" if lag > LAG_FAIL_SLOTS else "warn"
        return Check(f"ws {name}", verdict, f"{said}, {lag} slots behind RPC", "name a stream of the same node by --ws")
    return Check(f"ws {name}", "ok", said)


def slot_lag(nodes: Sequence[Node]) -> Check | None:
    """Are several nodes at the same slot? ``None`` where there are not two that answered."""
    slots = {node.name: node.slot for node in nodes if node.slot is not None}
    if len(slots) < 2:
        return None
    slowest = min(slots, key=lambda name: slots[name])
    lag = max(slots.values()) - slots[slowest]
    if lag <= LAG_WARN_SLOTS:
        return Check("slot lag", "ok", f"nodes are at most {lag} slots apart")
    verdict: Verdict = "fail" if lag > LAG_FAIL_SLOTS else "warn"
    return Check("slot lag", verdict, f"{slowest} is {lag} slots behind the others", "leave it out, or put it last")


def clock(wall_s: float, block_s: int | None, slot_ms: int) -> Check:
    """Does this machine's clock agree with the chain's? ``wall_s`` is of when the newest confirmed slot was asked for.

    A block's time is in whole seconds, and a confirmed block is some slots old.
    """
    if block_s is None:
        return Check(
            "clock", "warn", "the node told no block time: the clock could not be compared", "ask another node"
        )
    skew_s = wall_s - block_s - 0.5 - 3 * slot_ms / 1_000
    side = "ahead of" if skew_s > 0 else "behind"
    if abs(skew_s) <= SKEW_WARN_S:
        return Check("clock", "ok", f"within {max(1.0, abs(skew_s)):.0f} s of the chain's")
    verdict: Verdict = "fail" if abs(skew_s) > SKEW_FAIL_S else "warn"
    mend = "set this machine's clock (NTP): orders expire by it; or the node is stale: ask another"
    return Check("clock", verdict, f"this machine is {abs(skew_s):.0f} s {side} the chain", mend)

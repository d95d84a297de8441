from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from journal_events import KINDS, SPEC, any_value, decided, filled, plan, started
from msgspec.structs import replace

from drift_engine.core.types import Deposited, EngineState, Event, Market, MarketUpdated, PlanClosed, RowsRead, Ticked
from drift_engine.journal.record import (
    DIGESTED,
    GENESIS,
    Digest,
    JournalError,
    Line,
    checked,
    decode,
    differences,
    encode,
    link,
    link_all,
)


def digest_of(*events: Event, state: EngineState | None = None) -> str:
    digest = Digest()
    for event in events:
        digest.add(event, encode(event))
    return digest.hexdigest(state)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=25, deadline=None)
@given(st.data())
def test_what_is_encoded_decodes_to_the_same_event(kind: type[Any], data: st.DataObject) -> None:
    event = data.draw(any_value(kind))
    again = decode(encode(event))
    assert again == event
    assert type(again) is kind


def test_a_body_that_is_no_event_is_refused_with_its_beginning() -> None:
    for body in (b"", b"{}", b'{"type":"Ticked"}', b'{"type":"Invented","ts_ns":1}', b"\xff\xfe"):
        with pytest.raises(JournalError, match="not an event"):
            decode(body)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.binary(max_size=8)), min_size=2, max_size=6), st.data())
def test_the_chain_tells_any_change_of_content_row_or_order(
    parts: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    def last(items: list[tuple[int, bytes]]) -> bytes:
        return link_all(GENESIS, [(seq, row, 0, "", b"{" + body) for seq, (row, body) in enumerate(items)])[-1][-1]

    other = data.draw(
        st.permutations(parts) | st.just(parts[1:]) | st.just([(parts[0][0] + 1, parts[0][1]), *parts[1:]])
    )
    assert (last(other) == last(parts)) == (other == parts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seq": 2}, "record 1 is missing"),
        ({"row": 4}, "chain value"),
        ({"row": None}, "columns"),
        ({"body": encode(Ticked(7, 9))}, "chain value"),
        ({"body": "text"}, "columns"),
        ({"chain": bytes(16)}, "chain value"),
        ({"chain": None}, "chain value"),
        ({"type": "Filled"}, "filed as"),
        ({"ts_ns": 8}, "filed as"),
    ],
)
def test_a_record_is_held_to_every_one_of_its_columns(change: dict[str, Any], said: str) -> None:
    body = encode(Ticked(7, 8))
    good = Line(1, 3, 7, "Ticked", body, link(GENESIS, 3, body))
    assert checked(good, 1, GENESIS) == Ticked(7, 8)
    with pytest.raises(JournalError, match=said):
        checked(good._replace(**change), 1, GENESIS)


def test_the_digest_takes_decisions_plans_fills_settlements_and_states_alone() -> None:
    names = {kind.__name__ for kind in KINDS if kind not in DIGESTED}
    assert names == {"RunStarted", "RowsRead", "MarketUpdated", "Ticked", "AccountObserved", "Commanded"}
    noise = (started(), RowsRead(1, 0, 1, "d"), MarketUpdated(1, "SOL", 1, 1, 1), Ticked(1, 1))
    assert digest_of(*noise) == digest_of()


@pytest.mark.parametrize("kind", sorted(DIGESTED, key=str), ids=lambda kind: kind.__name__)
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_every_field_that_is_not_latency_moves_the_digest(kind: type[Any], data: st.DataObject) -> None:
    event, other = data.draw(any_value(kind)), data.draw(any_value(kind))
    for name in kind.__struct_fields__:
        changed = replace(event, **{name: getattr(other, name)})
        if name == "checks" or getattr(event, name) == getattr(changed, name):
            continue
        assert (digest_of(changed) == digest_of(event)) == (name == "seen_ns"), name


def test_latency_is_not_in_the_digest_but_the_gate_s_verdict_is() -> None:
    assert digest_of(decided(latency_ms=3)) == digest_of(decided(latency_ms=4))
    assert digest_of(filled(seen_ns=1)) == digest_of(filled(seen_ns=2))
    assert digest_of(PlanClosed(1, 1, "p", "filled", 5)) == digest_of(PlanClosed(1, 1, "p", "filled", 6))
    before = decided()
    for gate in (0, 1):
        checks = list(before.checks)
        checks[gate] = replace(checks[gate], verdict="mark")
        assert digest_of(replace(before, checks=tuple(checks))) != digest_of(before)
    assert digest_of(replace(before, checks=before.checks[:1])) != digest_of(before)


def test_the_order_of_events_counts_and_the_order_of_a_state_s_markets_does_not() -> None:
    assert digest_of(filled(1), filled(2)) != digest_of(filled(2), filled(1))
    one, two = Market(SPEC, ts_ns=1), Market(SPEC, ts_ns=2)
    forth, back = EngineState(markets={"a": one, "b": two}), EngineState(markets={"b": two, "a": one})
    assert digest_of(state=forth) == digest_of(state=back)
    assert digest_of(state=forth) != digest_of(state=EngineState(markets={"a": two, "b": one}))
    assert digest_of(state=EngineState(equity_e6=1)) != digest_of(state=EngineState())


def test_asking_for_the_digest_does_not_move_it() -> None:
    digest = Digest()
    digest.add(filled(), encode(filled()))
    first = digest.hexdigest(EngineState())
    assert digest.hexdigest(EngineState()) == first
    digest.add(Deposited(1, 1, "USDC", 5), encode(Deposited(1, 1, "USDC", 5)))
    assert digest.hexdigest(EngineState()) != first


def test_differences_name_each_field_by_its_path() -> None:
    was, now = started(), started(ts_ns=5, config={"capital": "5000", "data": "/elsewhere"}, sources={})
    found = differences(was, now, frozenset(("ts_ns", "config.data")))
    assert found == (
        "config.capital was '10000', is now '5000'",
        f"sources.SOL.csv was '{'ab' * 29}a…, is now nothing",
    )
    assert differences(plan_event(1), plan_event(1)) == ()
    assert differences(plan_event(1), plan_event(2)) == ("plan.plan_id was 'p1', is now 'p2'",)


def plan_event(number: int) -> Event:
    return replace(decided(), plan=plan(number))

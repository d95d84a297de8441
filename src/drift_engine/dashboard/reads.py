"""What can be read without a token: statuses, history, decisions, logs, opportunities, and the stream."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from drift_engine.dashboard.answers import QueryError, answer, kept_for_a_moment, said, whole
from drift_engine.dashboard.declarations import strategies as declared
from drift_engine.dashboard.logs import KEPT, last_lines
from drift_engine.dashboard.opportunities import opportunities as found_opportunities
from drift_engine.dashboard.replica import FIGURES, Replica
from drift_engine.dashboard.room import Room
from drift_engine.dashboard.streaming import CLIENTS, StreamResponse

_POINTS, _LATEST_NS = 600, 2**63 - 1


class UnknownEngineError(LookupError):
    """There is no engine of that name."""


def room_of(request: Request) -> Room:
    """Return the control room."""
    room: Room = request.app.state.room
    return room


def named(request: Request) -> str:
    """Return the engine a path names. Raises ``UnknownEngineError``."""
    name: str = request.path_params["name"]
    if room_of(request).fleet.status(name) is None:
        raise UnknownEngineError(name)
    return name


def _replica(request: Request) -> Replica:
    tail = room_of(request).tail(named(request))
    return Replica() if tail is None else tail.replica


async def engines(request: Request) -> Response:
    """Every engine's status."""
    return answer(room_of(request).fleet.statuses())


async def engine(request: Request) -> Response:
    """One engine's status."""
    return answer(room_of(request).fleet.status(named(request)))


async def replica(request: Request) -> Response:
    """The same figures, made from the journal: what a client compares with."""
    return answer(_replica(request).to_status())


async def history(request: Request) -> Response:
    """Columns over time, and the fills to mark on them."""
    wanted = [name for name in request.query_params.get("series", ",".join(FIGURES)).split(",") if name]
    unknown = [name for name in wanted if name not in FIGURES]
    if unknown:
        raise QueryError(f"there is no such series; known are {', '.join(FIGURES)}")
    from_ns, to_ns = whole(request, "from", None, 0, _LATEST_NS), whole(request, "to", None, 0, _LATEST_NS)
    points = whole(request, "points", _POINTS, 2, 5_000) or _POINTS
    replica = _replica(request)
    key = (named(request), replica, tuple(wanted), from_ns, to_ns, points)
    return kept_for_a_moment(key, lambda: _history(replica, wanted, from_ns, to_ns, points) | {"engine": key[0]})


def _history(
    replica: Replica, wanted: list[str], from_ns: int | None, to_ns: int | None, points: int
) -> dict[str, Any]:
    times, rows, width_ns = replica.series.columns(wanted, from_ns, to_ns, points)
    columns = {name: place for place, name in enumerate(wanted)}
    first_ns, last_ns = from_ns or 0, _LATEST_NS if to_ns is None else to_ns
    return {
        "seq": replica.seq,
        "market": replica.market or None,
        "bucket_ns": width_ns,
        "ts_ns": times,
        "series": {name: [row[place][0] for row in rows] for name, place in columns.items()},
        "low": {name: [row[place][1] for row in rows] for name, place in columns.items()},
        "high": {name: [row[place][2] for row in rows] for name, place in columns.items()},
        "fills": [fill for fill in replica.fills if first_ns <= fill["ts_ns"] <= last_ns],
    }


async def decisions(request: Request) -> Response:
    """The last decisions, newest first, with every gate and the figures it saw."""
    n = whole(request, "n", 50, 1, 200) or 50
    return answer(list(_replica(request).decisions)[: -n - 1 : -1])


async def logs(request: Request) -> Response:
    """The last lines of an engine's log, oldest first."""
    path = room_of(request).state_dir / f"{named(request)}.log"
    return answer(last_lines(path, whole(request, "n", KEPT, 1, 1_000) or KEPT))


async def opportunities(request: Request) -> Response:
    """What funding pays where."""
    room = room_of(request)
    return answer(found_opportunities(room.fleet.statuses(), room.tails))


async def alerts(request: Request) -> Response:
    """What stands, and what stood before."""
    return answer(room_of(request).bells.to_dict())


async def strategies(request: Request) -> Response:
    """Which strategies there are, and their parameters."""
    return answer(declared(room_of(request).fleet.statuses()))


async def stream(request: Request) -> Any:
    """What happens, as it happens: server-sent events."""
    room = room_of(request)
    if room.stream.clients >= CLIENTS:
        return said("too_many", f"{CLIENTS} clients listen already; close one", 503)
    return StreamResponse(room.stream, room.greeting, request.headers.get("last-event-id", ""))


async def health(request: Request) -> Response:
    """Whether all is well: 200, or 503 with what is not."""
    found = room_of(request).to_health()
    return answer(found, 200 if found["ok"] else 503)

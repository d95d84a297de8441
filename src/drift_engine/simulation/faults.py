"""What goes wrong at the venue: small seeded faults, none by default, each alone or with any others.

A fault is a pure function of the seed and of what it befalls (a plan, a leg, an event's number, a stretch of time),
never of how often it was asked. So the same run has the same faults, also after a restart in the middle.
"""

from hashlib import blake2b

from msgspec import Struct

from drift_engine.core.units import E6, SECOND_NS

FAULTS = (
    "leg_fails",
    "order_expires",
    "report_late",
    "report_twice",
    "report_lost",
    "stale_oracle",
    "market_paused",
    "venue_away",
)
NEVER_NS = 1 << 62
ON_TIME = (0,)
_NOT_PLANNED = False, NEVER_NS


def draw(seed: int, what: str, below: int) -> int:
    """Return a number in ``[0, below)`` that only the seed and ``what`` decide."""
    if below == 1:
        return 0
    return int.from_bytes(blake2b(f"{seed}:{what}".encode(), digest_size=8).digest()) % below


class Window(Struct, frozen=True):
    """A stretch of ``length_ns`` once in each ``every_ns``, ``offset_ns`` from its start; anywhere where negative."""

    every_ns: int
    length_ns: int
    offset_ns: int = -1

    def at(self, seed: int, what: str, ts_ns: int) -> tuple[bool, int]:
        """Return whether ``ts_ns`` is inside, and until when that answer holds."""
        count = ts_ns // self.every_ns
        start = count * self.every_ns + self._offset(seed, f"{what}:{count}")
        if ts_ns < start:
            return False, start
        if ts_ns < start + self.length_ns:
            return True, start + self.length_ns
        return False, (count + 1) * self.every_ns

    def _offset(self, seed: int, what: str) -> int:
        if self.offset_ns >= 0:
            return self.offset_ns
        return draw(seed, what, max(1, self.every_ns - self.length_ns))


class Faults(Struct, frozen=True):
    """Which faults occur. ``_e6`` is a chance in a million: for each leg, plan or account event."""

    seed: int = 0
    leg_fails_e6: int = 0
    order_expires_e6: int = 0
    report_late_e6: int = 0
    late_ns: int = 10 * SECOND_NS
    report_twice_e6: int = 0
    report_lost_e6: int = 0
    stale_oracle: Window | None = None
    market_paused: Window | None = None
    venue_away: Window | None = None

    @staticmethod
    def chaos(seed: int, names: tuple[str, ...] = FAULTS, *, pace_ns: int = SECOND_NS) -> "Faults":
        """Return the named faults at rates that a short run meets; ``pace_ns`` is the time between its rows.

        Raises ``ValueError`` for an unknown name.
        """
        presets = _presets(pace_ns)
        changes: dict[str, int | Window] = {"seed": seed, "late_ns": 5 * pace_ns}
        for name in names:
            if name not in presets:
                raise ValueError(f"unknown fault {name!r}; known are {', '.join(FAULTS)}")
            changes |= presets[name]
        return Faults(**changes)  # type: ignore[arg-type]

    def leg_fails(self, plan_id: str, leg: int) -> bool:
        """Return whether a leg fails at the venue."""
        return self.leg_fails_e6 > 0 and self._happens("leg", f"{plan_id}:{leg}", self.leg_fails_e6)

    def order_expires(self, plan_id: str) -> bool:
        """Return whether a plan finds no fill before it expires."""
        return self.order_expires_e6 > 0 and self._happens("expires", plan_id, self.order_expires_e6)

    def reports(self, cursor: int) -> tuple[int, ...]:
        """Return the extra delays (ns) at which an event is reported: none when lost, two when told twice."""
        if not (self.report_lost_e6 or self.report_late_e6 or self.report_twice_e6):
            return ON_TIME
        if self._happens("lost", str(cursor), self.report_lost_e6):
            return ()
        delay = self.late_ns if self._happens("late", str(cursor), self.report_late_e6) else 0
        again = (delay + self.late_ns,) if self._happens("twice", str(cursor), self.report_twice_e6) else ()
        return (delay, *again)

    def arrives(self, plan_id: str) -> bool:
        """Return whether what was sent while the venue was away arrived all the same."""
        return draw(self.seed, f"arrives:{plan_id}", 2) == 0

    def away(self, ts_ns: int) -> tuple[bool, int]:
        """Return whether the venue is away, and until when that answer holds."""
        return _NOT_PLANNED if self.venue_away is None else self.venue_away.at(self.seed, "away", ts_ns)

    def stale(self, asset: str, ts_ns: int) -> tuple[bool, int]:
        """Return whether an asset's oracle stands still, and until when that answer holds."""
        return self._during(self.stale_oracle, f"stale:{asset}", ts_ns)

    def paused(self, market: str, ts_ns: int) -> tuple[bool, int]:
        """Return whether a market is paused, and until when that answer holds."""
        return self._during(self.market_paused, f"paused:{market}", ts_ns)

    def _during(self, window: Window | None, what: str, ts_ns: int) -> tuple[bool, int]:
        return _NOT_PLANNED if window is None else window.at(self.seed, what, ts_ns)

    def _happens(self, what: str, key: str, chance_e6: int) -> bool:
        return chance_e6 > 0 and draw(self.seed, f"{what}:{key}", E6) < chance_e6


def _presets(pace_ns: int) -> dict[str, dict[str, int | Window]]:
    window = Window(every_ns=100 * pace_ns, length_ns=8 * pace_ns)
    return {
        "leg_fails": {"leg_fails_e6": 200_000},
        "order_expires": {"order_expires_e6": 200_000},
        "report_late": {"report_late_e6": 300_000},
        "report_twice": {"report_twice_e6": 300_000},
        "report_lost": {"report_lost_e6": 200_000},
        "stale_oracle": {"stale_oracle": window},
        "market_paused": {"market_paused": window},
        "venue_away": {"venue_away": window},
    }

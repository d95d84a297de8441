"""Several addresses of one service: which to ask now, how fast, and how to name them without their secrets.

The first endpoint in the list is the one that is wanted. One that fails is left alone for a while, longer each time,
and then tried by a single call; when that succeeds it is the first again. An endpoint that says "too many requests" is
left alone for as long as it asks. Time is an argument, in nanoseconds of a monotonic clock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from drift_engine.core.units import MILLISECOND_NS, SECOND_NS
from drift_engine.venues.urls import checked_url, shown


@dataclass(slots=True)
class TokenBucket:
    """Lets ``rate_per_s`` requests a second through, ``burst`` at once. A rate of 0 lets everything through."""

    rate_per_s: float
    burst: int
    _full_at_ns: int | None = None

    def take(self, cost: int, now_ns: int) -> int:
        """Take ``cost`` tokens, and return how many nanoseconds to wait before using them."""
        if not self.rate_per_s:
            return 0
        each_ns = SECOND_NS / self.rate_per_s
        full_at_ns = max(now_ns, self._full_at_ns or now_ns) + int(cost * each_ns)
        self._full_at_ns = full_at_ns
        return max(0, full_at_ns - now_ns - int(self.burst * each_ns))


@dataclass(slots=True, eq=False)
class Endpoint:
    """One address, and what is known of its health."""

    url: str
    bucket: TokenBucket
    cooldown_ns: int
    cooldown_max_ns: int
    name: str = field(init=False)
    failures: int = 0
    retry_at_ns: int = 0
    paused_until_ns: int = 0

    def __post_init__(self) -> None:
        self.name = shown(self.url)

    def failed(self, now_ns: int) -> None:
        """Leave it alone for a while, twice as long as the time before."""
        self.failures += 1
        pause_ns = min(self.cooldown_ns << min(self.failures - 1, 20), self.cooldown_max_ns)
        self.retry_at_ns = now_ns + pause_ns

    def healed(self) -> None:
        """Note an answer."""
        self.failures = self.retry_at_ns = 0

    def pause(self, until_ns: int) -> None:
        """Ask nothing before ``until_ns``: it said so."""
        self.paused_until_ns = max(self.paused_until_ns, until_ns)

    def is_open(self, now_ns: int) -> bool:
        """Whether it may be asked now."""
        return now_ns >= max(self.retry_at_ns, self.paused_until_ns)


class Endpoints:
    """The endpoints in the order of preference."""

    def __init__(
        self,
        urls: Sequence[str],
        schemes: Collection[str],
        *,
        rate_per_s: float = 0,
        burst: int = 10,
        cooldown_ms: int = 1_000,
        cooldown_max_ms: int = 30_000,
    ) -> None:
        if not urls:
            raise ValueError("no endpoint: name at least one address")
        self.all = tuple(
            Endpoint(
                checked_url(url, schemes),
                TokenBucket(rate_per_s, burst),
                cooldown_ms * MILLISECOND_NS,
                cooldown_max_ms * MILLISECOND_NS,
            )
            for url in urls
        )

    def pick(self, now_ns: int, tried: Collection[Endpoint] = (), *, probe: bool = True) -> Endpoint:
        """Return the endpoint to ask: the first that is open and not ``tried``.

        One that failed before is given to one caller at a time, and not to those who must not ``probe``. Where none is
        open, the one that opens first is returned; where all were tried, all count again.
        """
        left = [endpoint for endpoint in self.all if endpoint not in tried] or list(self.all)
        fit = [endpoint for endpoint in left if endpoint.is_open(now_ns) and (probe or not endpoint.failures)]
        chosen = fit[0] if fit else min(left, key=lambda each: max(each.retry_at_ns, each.paused_until_ns))
        if chosen.failures and fit:
            chosen.retry_at_ns = now_ns + chosen.cooldown_ns
        return chosen

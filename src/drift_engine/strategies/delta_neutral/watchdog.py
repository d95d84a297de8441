"""The funding watchdog: bad checks in a row unwind a hedge, good ones in a row afterwards let it come back."""


class Watchdog:
    """Counts checks ``every_ns`` apart. ``blocked`` means: unwind what is held, and enter nothing."""

    __slots__ = ("_bad_limit", "_every_ns", "_good_limit", "bad", "blocked", "good", "next_ns")

    def __init__(self, every_ns: int, bad_limit: int, good_limit: int) -> None:
        self._every_ns, self._bad_limit, self._good_limit = every_ns, bad_limit, good_limit
        self.bad = self.good = self.next_ns = 0
        self.blocked = False

    def figures(self) -> dict[str, int | bool]:
        """Return what was counted, as plain values."""
        return {"bad": self.bad, "good": self.good, "blocked": self.blocked}

    def check(self, now_ns: int, *, holding: bool, carry_e6: int | None) -> None:
        """Count one check of the carry. A carry that is not known counts neither way."""
        self.next_ns = now_ns + self._every_ns
        if carry_e6 is None:
            return
        if holding:
            self.good = 0
            self.bad = self.bad + 1 if carry_e6 < 0 else 0
            self.blocked = self.blocked or self.bad >= self._bad_limit
        else:
            self.bad = 0
            self.good = self.good + 1 if carry_e6 > 0 else 0
            self.blocked = self.blocked and self.good < self._good_limit

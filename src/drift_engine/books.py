"""Whether our books and the venue's agree: compared to the unit whenever the venue shows its own.

A difference is read a second time before anything is concluded from it. Nothing is repaired here: two readings that
differ are a dispute, and a human decides.
"""

from drift_engine.core.reconcile import differences
from drift_engine.core.types import AccountObserved, EngineState, StateChanged


class Books:
    """Remembers up to which account event the books agreed, and whether the last reading raised a doubt."""

    def __init__(self) -> None:
        self.agreed_cursor = -1
        self.in_doubt = False

    def compare(self, state: EngineState, observed: AccountObserved) -> tuple[str, ...]:
        """Return a line for each difference; a reading of another moment than ours says nothing."""
        if observed.cursor != state.venue_cursor:
            return ()
        found = differences(state.account, observed.account)
        if not found:
            self.agreed_cursor, self.in_doubt = observed.cursor, False
        return found

    def take(self, event: StateChanged) -> None:
        """Count no reading of before an emergency close began: what is flat then, the venue has to say anew."""
        if event.closing == 1:
            self.agreed_cursor = -1

    def doubt(self) -> bool:
        """Take note of a difference. True when it is the second in a row."""
        again, self.in_doubt = self.in_doubt, True
        return again

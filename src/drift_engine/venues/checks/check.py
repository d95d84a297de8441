"""One answer of a doctor's."""

from typing import Literal

from msgspec import Struct

Verdict = Literal["ok", "warn", "fail"]
NETWORK_MEND = "ask a node of the network that the venue is on, or choose another --venue"
BUILD_MEND = "do not trade: the deployed build is not the one this package was made for; look for a newer package"


class Check(Struct, frozen=True):
    """One answer: ``name`` of what was looked at, the verdict, what was found, and how to mend it."""

    name: str
    verdict: Verdict
    found: str
    mend: str = ""

"""What to say where a name is not known: the near one that was probably meant, or all there are."""

from collections.abc import Collection
from difflib import get_close_matches


def near(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is most like ``name``, ``None`` where none is."""
    found = get_close_matches(name, known, n=1, cutoff=0.5)
    return found[0] if found else None


def hint(name: str, known: Collection[str], besides: str = "") -> str:
    """Return ``did you mean 'x'?``, or the known names and ``besides``."""
    meant = near(name, known)
    return f"did you mean {meant!r}?" if meant else f"known are {', '.join(known)}{besides}"

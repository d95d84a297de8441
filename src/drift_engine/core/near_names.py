"""What to say where a name is not known: the near one that was probably meant, or all there are."""

from collections.abc import Collection
from difflib import get_close_matches


def hint(name: str, known: Collection[str], besides: str = "") -> str:
    """Return ``did you mean 'x'?``, or the known names and ``besides``."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}{besides}"

"""Addresses of services: which are usable, and how they are shown without the keys that hide in them."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

_TOKEN = re.compile(
    r"""(?<![0-9A-Za-z])(?:
        [0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}  # a UUID
        | (?=[A-Za-z]*[0-9]+[A-Za-z]|[A-Z]*[a-z]+[A-Z]|[0-9]+(?![0-9A-Za-z]))[0-9A-Za-z]{20,}  # hex, base58, digits
    )(?![0-9A-Za-z])""",
    re.VERBOSE,
)
"""What stands in a host and is no word: long, with letters behind digits or capitals behind small ones."""


def shown(url: str) -> str:
    """Return an address fit to be read by others: scheme, host and port.

    Keys hide in users, paths and queries, and some providers put them in the host.
    """
    parts = urlsplit(url)
    hidden = "/…" if parts.path.strip("/") or parts.query or parts.fragment else ""
    return f"{parts.scheme}://{without_tokens(parts.netloc.rpartition('@')[2])}{hidden}"


def without_tokens(text: str) -> str:
    """Return a host, or what an error says of one, without what looks like a key in it."""
    return _TOKEN.sub("…", text)


def checked_url(url: str, schemes: Collection[str]) -> str:
    """Return ``url`` where it is an address of one of ``schemes``; raises ``ValueError`` otherwise."""
    wanted = f"it must begin with {' or '.join(schemes)} and name a host"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # its text may repeat the address, password and all
        raise ValueError(f"that is no address to ask: {wanted}") from None
    if not usable:
        raise ValueError(f"{shown(url)!r} is no address to ask: {wanted}")
    return url

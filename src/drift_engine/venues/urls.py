"""Addresses of services: which are usable, and how they are shown without the keys that hide in them."""

from collections.abc import Collection
from urllib.parse import urlsplit


def shown(url: str) -> str:
    """Return an address fit to be read by others: scheme, host and port. Keys hide in users, paths and queries."""
    parts = urlsplit(url)
    hidden = "/…" if parts.path.strip("/") or parts.query or parts.fragment else ""
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{hidden}"


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

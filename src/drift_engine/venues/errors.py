"""What can go wrong between us and a venue, as exceptions with one clear line each.

A venue that does not answer is ``core.client.VenueUnavailableError``. What stands here is the rest: bytes that are not
what they should be, and what cannot be asked for at all.
"""


class VenueError(Exception):
    """Something about a venue is not as it must be."""


class DecodeError(VenueError):
    """Bytes are not what they were taken for: a wrong owner, a wrong kind, or too few."""


class EncodeError(VenueError):
    """A value cannot be put on the wire: too large, too precise, or of a market that is not known."""

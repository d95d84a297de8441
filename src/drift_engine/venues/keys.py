"""Keys: from the environment or a file, and what an account lets them do.

A key comes from ``DRIFT_ENGINE_KEY`` (base58, or the path of a key file) or from a key file of Solana's own form, a
JSON list of 64 numbers; never from a command line. ``Key`` shows its address and nothing else; errors say where a key
was looked for, never what was found there.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

from solders.keypair import Keypair
from solders.pubkey import Pubkey

from drift_engine.venues.errors import VenueError
from drift_engine.venues.wire.user import User

VARIABLE = "DRIFT_ENGINE_KEY"
_KEY_BYTES = 64


class KeyUnusableError(VenueError):
    """There is no key where one was looked for, or it is none."""


class Rights(StrEnum):
    """What a key may do with an account."""

    AUTHORITY = "authority"
    """Everything, withdrawing included."""
    DELEGATE = "delegate"
    """Trade, settle and deposit; never withdraw."""
    NONE = "none"
    """Nothing."""


class Key:
    """A key that signs. Its secret shows in no representation, and it cannot be pickled.

    ``address`` is worked out once: a ``Keypair`` derives it anew whenever it is asked, for half the price of signing.
    """

    __slots__ = ("__keypair", "address")

    def __init__(self, keypair: Keypair) -> None:
        self.__keypair = keypair
        self.address = keypair.pubkey()

    @property
    def keypair(self) -> Keypair:
        """The pair, for signing."""
        return self.__keypair

    def __repr__(self) -> str:
        return f"Key({self.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not written anywhere")

    def rights(self, user: User) -> Rights:
        """Return what this key may do with an account."""
        return rights_of(self.address, user)


def rights_of(address: Pubkey, user: User) -> Rights:
    """Return what an address may do with an account (``can_sign_for_user``, ``instructions/constraints.rs``)."""
    if address == user.authority:
        return Rights.AUTHORITY
    if address == user.delegate and address != Pubkey.default():
        return Rights.DELEGATE
    return Rights.NONE


def key_from_environment(environment: Mapping[str, str]) -> Key:
    """Return the key that ``DRIFT_ENGINE_KEY`` names or is. Raises ``KeyUnusableError``."""
    text = environment.get(VARIABLE, "").strip()
    if not text:
        raise KeyUnusableError(f"no key: set {VARIABLE} to a key file's path, or to the key in base58")
    if "/" in text or text.endswith(".json"):
        return key_from_file(_at_home(Path(text)))
    try:
        return Key(Keypair.from_base58_string(text))
    except ValueError:  # its words may quote the text
        raise KeyUnusableError(f"{VARIABLE} is neither a key in base58 nor the path of a key file") from None


def key_from_file(path: Path) -> Key:
    """Return the key of a file with a JSON list of 64 numbers. Raises ``KeyUnusableError``."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise KeyUnusableError(f"cannot read the key file {path}: {_reason(error)}") from None
    return Key(_pair(text, path))


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise KeyUnusableError(f"{VARIABLE} is {path}, and there is no such home") from None


def _pair(text: str, path: Path) -> Keypair:
    try:
        numbers = json.loads(text)
        if isinstance(numbers, list) and len(numbers) == _KEY_BYTES:
            return Keypair.from_bytes(bytes(numbers))
        what = f"it has to be a JSON list of {_KEY_BYTES} numbers"
    except (ValueError, TypeError, RecursionError):
        what = "it is damaged"
    raise KeyUnusableError(f"{path} is no key file: {what}")


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is not text"

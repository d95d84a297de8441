"""Reading the parameters of a call: positions first, then one object of settings."""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any

from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import SanitizeError, VersionedTransaction

from drift_engine.localnet import base58
from drift_engine.localnet.blocks import COMMITMENTS
from drift_engine.localnet.messages import MAX_TRANSACTION_BYTES
from drift_engine.localnet.rpc_errors import bad_params


def needed(params: list[Any], place: int, kind: type) -> Any:
    """Return a parameter that must be there, of its kind."""
    if len(params) <= place:
        raise bad_params(f"`params` should have at least {place + 1} argument(s)")
    value = params[place]
    if not isinstance(value, kind) or (kind is int and not _is_u64(value)):
        raise bad_params(f"Invalid params: invalid type: {type(value).__name__}, expected {kind.__name__}.")
    return value


def _is_u64(value: Any) -> bool:
    return not isinstance(value, bool) and 0 <= value < 2**64


def settings(params: list[Any], place: int) -> dict[str, Any]:
    """Return the object of settings, empty where it is left out."""
    value = params[place] if len(params) > place else None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad_params(f"Invalid params: invalid type: {type(value).__name__}, expected an object of settings.")
    return value


def commitment_of(config: dict[str, Any], key: str = "commitment") -> str:
    """Return the commitment asked for; ``finalized`` where none is."""
    asked = config.get(key) or "finalized"
    if asked not in COMMITMENTS:
        raise bad_params(f"Invalid params: unknown variant `{asked}`, expected one of {', '.join(COMMITMENTS)}.")
    return str(asked)


def number(config: dict[str, Any], key: str) -> int | None:
    """Return a setting that is a count; None where it is left out."""
    value = config.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise bad_params(f"Invalid params: {key} must be a whole number of 0 or more.")
    return value


def pubkey(text: Any) -> Pubkey:
    """Return an address."""
    return Pubkey(_fixed(text, 32))


def signature(text: Any) -> Signature:
    """Return a signature."""
    return Signature(_fixed(text, 64))


def _fixed(text: Any, size: int) -> bytes:
    if not isinstance(text, str):
        raise bad_params(f"Invalid params: invalid type: {type(text).__name__}, expected a string.")
    if len(text) > size * 2:
        raise bad_params("Invalid param: WrongSize")
    try:
        data = base58.decode(text)
    except ValueError as error:
        raise bad_params("Invalid param: Invalid") from error
    if len(data) != size:
        raise bad_params("Invalid param: WrongSize")
    return data


def transaction(text: str, encoding: str) -> tuple[VersionedTransaction, bytes]:
    """Return a transaction and its bytes; raise -32602 where it is none, is malformed, or is over 1,232 bytes."""
    data = wire_bytes(text, encoding)
    if len(data) > MAX_TRANSACTION_BYTES:
        raise bad_params(
            f"decoded solana_transaction::versioned::VersionedTransaction too large: {len(data)} bytes "
            f"(max: {MAX_TRANSACTION_BYTES} bytes)"
        )
    try:
        parsed = VersionedTransaction.from_bytes(data)
        parsed.sanitize()
    except (ValueError, SanitizeError) as error:
        raise bad_params(f"invalid transaction: {error}") from error
    if bytes(parsed) != data:
        raise bad_params("invalid transaction: bytes are left over after it")
    return parsed, data


def wire_bytes(text: str, encoding: str) -> bytes:
    """Return bytes from their text in base58 or base64."""
    if encoding not in ("base58", "base64"):
        raise bad_params(f"unsupported encoding: {encoding}. Supported encodings: base58, base64")
    try:
        return base58.decode(text) if encoding == "base58" else b64decode(text, validate=True)
    except (ValueError, Base64Error) as error:
        raise bad_params(f"invalid {encoding} encoding: {error}") from error

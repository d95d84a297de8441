"""Accounts as RPC shows them, and the filters a program's accounts are asked by."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any

from solders.account import Account
from solders.pubkey import Pubkey

from drift_engine.localnet import base58, rpc_params, tokens
from drift_engine.localnet.rpc_errors import INVALID_REQUEST, RpcError, bad_params

Read = Callable[[Pubkey], Account | None]
BASE58_LIMIT = 128
MAX_FILTERS, MAX_MEMCMP_BYTES = 4, 128
GONE = Account(0, b"", Pubkey.default())
"""What a notification shows of an account that was closed."""


def account_json(account: Account, config: dict[str, Any], read: Read) -> dict[str, Any]:
    """Return an account as shown in the encoding and slice asked for."""
    return {
        "data": _data(account, config, read),
        "executable": account.executable,
        "lamports": account.lamports,
        "owner": str(account.owner),
        "rentEpoch": account.rent_epoch,
        "space": len(account.data),
    }


def _data(account: Account, config: dict[str, Any], read: Read) -> Any:
    encoding, data = config.get("encoding"), _sliced(account.data, config)
    if encoding == "jsonParsed" and (parsed := parsed_token(account, read)) is not None:
        return parsed
    if encoding in ("base64", "jsonParsed"):
        return [b64encode(data).decode(), "base64"]
    if encoding == "base64+zstd":
        raise bad_params("base64+zstd is not offered by this node: ask for base64.")
    if encoding not in (None, "base58", "binary"):
        raise bad_params(f"Invalid params: unknown variant `{encoding}`, expected one of base58, base64, jsonParsed.")
    if len(data) > BASE58_LIMIT:
        raise RpcError(
            INVALID_REQUEST,
            "Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.",
        )
    text = base58.encode(data)
    return [text, "base58"] if encoding == "base58" else text


def _sliced(data: bytes, config: dict[str, Any]) -> bytes:
    part = config.get("dataSlice")
    if part is None:
        return data
    if not isinstance(part, dict):
        raise bad_params("Invalid params: dataSlice must be an object with offset and length.")
    offset, length = rpc_params.number(part, "offset"), rpc_params.number(part, "length")
    if offset is None or length is None:
        raise bad_params("Invalid params: dataSlice must be an object with offset and length.")
    return data[offset : offset + length]


def parsed_token(account: Account, read: Read) -> dict[str, Any] | None:
    """Return a token account as ``jsonParsed`` shows it; None for any other account."""
    try:
        found = tokens.held(tokens.token_account(account))
    except tokens.TokenRefusal:
        return None
    amount = tokens.ui_amount(found.amount, tokens.decimals_of(read(found.mint)))
    info = {
        "isNative": found.native,
        "mint": str(found.mint),
        "owner": str(found.owner),
        "state": "frozen" if found.state == tokens.FROZEN else "initialized",
        "tokenAmount": amount,
    }
    return {"program": "spl-token", "parsed": {"info": info, "type": "account"}, "space": len(account.data)}


def filter_of(config: dict[str, Any]) -> Callable[[Account], bool]:
    """Return the test an account must pass: every ``memcmp`` and ``dataSize`` of the settings."""
    filters = config.get("filters") or []
    if not isinstance(filters, list) or not all(isinstance(entry, dict) for entry in filters):
        raise bad_params("Invalid params: filters must be a list of objects.")
    if len(filters) > MAX_FILTERS:
        raise bad_params(f"Too many filters provided; max {MAX_FILTERS}")
    tests = [_test(entry) for entry in filters]
    return lambda account: all(test(account.data) for test in tests)


def _test(entry: dict[str, Any]) -> Callable[[bytes], bool]:
    if (size := rpc_params.number(entry, "dataSize")) is not None:
        return lambda data: len(data) == size
    memcmp = entry.get("memcmp")
    if not isinstance(memcmp, dict):
        raise bad_params("Invalid params: a filter is dataSize or memcmp.")
    offset, wanted = rpc_params.number(memcmp, "offset"), _wanted(memcmp)
    if offset is None:
        raise bad_params("Invalid params: memcmp needs an offset.")
    return lambda data: data[offset : offset + len(wanted)] == wanted


def _wanted(memcmp: dict[str, Any]) -> bytes:
    given = memcmp.get("bytes")
    if not isinstance(given, str):
        raise bad_params("Invalid params: memcmp needs bytes, as text.")
    wanted = rpc_params.wire_bytes(given, str(memcmp.get("encoding") or "base58"))
    if len(wanted) > MAX_MEMCMP_BYTES:
        raise bad_params("encoded binary data should be less than 129 bytes")
    return wanted

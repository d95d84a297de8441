"""JSON-RPC 2.0: from the bytes of a call, or of several, to the bytes of the answer."""

from typing import Any

import msgspec

from drift_engine.localnet import rpc_accounts, rpc_blocks, rpc_transactions
from drift_engine.localnet.bank import ForgottenSlotError
from drift_engine.localnet.node import Method, Node
from drift_engine.localnet.rpc_errors import (
    BLOCK_NOT_AVAILABLE,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RpcError,
    bad_params,
)

METHODS: dict[str, Method] = rpc_accounts.METHODS | rpc_blocks.METHODS | rpc_transactions.METHODS
NOTHING = b""


def answer_all(node: Node, methods: dict[str, Method], raw: bytes) -> bytes:
    """Answer a call or a batch of calls; what has no id is done and not answered."""
    try:
        parsed = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _encoded(_failed(None, RpcError(PARSE_ERROR, "Parse error")))
    if not isinstance(parsed, list):
        answer = _answer(node, methods, parsed)
        return NOTHING if answer is None else _encoded(answer)
    if not parsed:
        return _encoded(_failed(None, RpcError(INVALID_REQUEST, "Invalid request")))
    answers = [answer for call in parsed if (answer := _answer(node, methods, call)) is not None]
    return _encoded(answers) if answers else NOTHING


def _answer(node: Node, methods: dict[str, Method], call: Any) -> dict[str, Any] | None:
    if not isinstance(call, dict) or call.get("jsonrpc") != "2.0" or not isinstance(call.get("method"), str):
        return _failed(None, RpcError(INVALID_REQUEST, "Invalid request"))
    try:
        result = _called(node, methods, call)
    except RpcError as error:
        return _failed(call["id"], error) if "id" in call else None
    except ForgottenSlotError as error:
        return _failed(call.get("id"), RpcError(BLOCK_NOT_AVAILABLE, str(error)))
    return {"jsonrpc": "2.0", "result": result, "id": call["id"]} if "id" in call else None


def _called(node: Node, methods: dict[str, Method], call: dict[str, Any]) -> Any:
    method = methods.get(call["method"])
    if method is None:
        raise RpcError(METHOD_NOT_FOUND, "Method not found")
    params = call.get("params")
    params = [] if params is None else params
    if not isinstance(params, list):
        raise bad_params("Invalid params: expected an array of parameters.")
    return method(node, params)


def _failed(number: Any, error: RpcError) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "error": error.shown(), "id": number}


def _encoded(answer: Any) -> bytes:
    return msgspec.json.encode(answer)

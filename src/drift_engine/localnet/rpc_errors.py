"""Errors of JSON-RPC as Agave numbers and words them (``rpc-client-api``, ``custom_error.rs``)."""

from typing import Any

PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
PREFLIGHT_FAILURE, SIGNATURE_FAILURE = -32002, -32003
BLOCK_NOT_AVAILABLE, NODE_UNHEALTHY = -32004, -32005
UNSUPPORTED_VERSION, MIN_CONTEXT_SLOT = -32015, -32016


class RpcError(Exception):
    """An answer that is an error; ``data`` goes with it where there is some."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data

    def shown(self) -> dict[str, Any]:
        """Return the error as it is sent."""
        shown: dict[str, Any] = {"code": self.code, "message": self.message}
        return shown if self.data is None else {**shown, "data": self.data}


def bad_params(message: str) -> RpcError:
    """Return the error for parameters that cannot be used."""
    return RpcError(INVALID_PARAMS, message)

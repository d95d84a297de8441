"""The port of ``core.client`` over a node: ``ChainClient``.

``account_history`` reads the account's transactions, ``events`` says what they mean in core's words and for our plans,
``log`` is what is kept over a restart: plans, signatures, and which event had which number. A gateway's client keeps
the same log.
"""

from typing import TYPE_CHECKING

from drift_engine.first_use import loaded_on_first_use

if TYPE_CHECKING:
    from drift_engine.venues.chain_client.client import ChainClient
else:
    __getattr__ = loaded_on_first_use(__name__, {"ChainClient": "client"})

__all__ = ["ChainClient"]

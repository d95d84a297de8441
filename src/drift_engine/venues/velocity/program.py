"""Velocity's record. Addresses: ``packages/sdk/src/config.ts`` and ``IDL`` of velocity-exchange/velocity-v1."""

from solders.pubkey import Pubkey

from drift_engine.venues.program import Program, Services
from drift_engine.venues.velocity import layouts
from drift_engine.venues.velocity.errors import ERRORS
from drift_engine.venues.velocity.events import EVENTS
from drift_engine.venues.velocity.rules import ORACLES, RULES

VELOCITY = Program(
    name="velocity",
    program_id=Pubkey.from_string("vELoC1audYbSYVRXn1vPaV8Axoa9oU6BYmNGZZBDZ1P"),
    state_seed=b"velocity_state",
    signer_seed=b"velocity_signer",
    quote="USDT",
    quote_mint=Pubkey.from_string("Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB"),
    lookup_tables=(Pubkey.from_string("4E971nER9Jn4JjT8mKEX1nvkfg8Qycp7zNEcCq2nT8ZY"),),
    layouts=layouts.LAYOUTS,
    errors=ERRORS,
    rules=RULES,
    oracles=ORACLES,
    events=EVENTS,
    services=Services(
        dlob="https://dlob.velocity.exchange",
        dlob_ws="wss://dlob.velocity.exchange/ws",
        swift="https://swift.velocity.exchange",
        data="https://data.velocity.exchange",
    ),
)

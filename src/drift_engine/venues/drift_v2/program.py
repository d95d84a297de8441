"""Drift v2's record. Addresses: ``sdk/src/config.ts`` of drift-labs/protocol-v2. Its services are gone."""

from solders.pubkey import Pubkey

from drift_engine.venues.drift_v2 import layouts
from drift_engine.venues.drift_v2.errors import ERRORS
from drift_engine.venues.drift_v2.events import EVENTS
from drift_engine.venues.drift_v2.rules import ORACLES, RULES
from drift_engine.venues.program import Program, Services

DRIFT_V2 = Program(
    name="drift_v2",
    program_id=Pubkey.from_string("dRiftyHA39MWEi3m9aunc5MzRF1JYuBsbn6VPcn33UH"),
    state_seed=b"drift_state",
    signer_seed=b"drift_signer",
    quote="USDC",
    quote_mint=Pubkey.from_string("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"),
    lookup_tables=(
        Pubkey.from_string("Fpys8GRa5RBWfyeN7AaDUwFGD1zkDCA4z3t4CJLV8dfL"),
        Pubkey.from_string("EiWSskK5HXnBTptiS5DH6gpAJRVNQ3cAhTKBGaiaysAb"),
    ),
    layouts=layouts.LAYOUTS,
    errors=ERRORS,
    rules=RULES,
    oracles=ORACLES,
    events=EVENTS,
    services=Services(dlob=None, dlob_ws=None, swift=None, data=None),
)

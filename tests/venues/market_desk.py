"""Markets and accounts that the tests of remaining accounts share.

Addresses tell by their first byte what they are: 1 an oracle, 2 a spot market, 3 a perp market, 4 a mint, 5 a vault.
Then comes the market's index, 100 more where it is a spot market's oracle.
"""

from solders.instruction import AccountMeta
from solders.pubkey import Pubkey
from solders.token import ID as TOKEN

from drift_engine.venues.directory import Directory, PerpTerms, SpotTerms
from drift_engine.venues.program import Program
from drift_engine.venues.wire.accounts import blank
from drift_engine.venues.wire.user import Order, PerpPosition, SpotPosition, User

NO_ORACLE = Pubkey.default()


def key(kind: int, index: int) -> Pubkey:
    return Pubkey(bytes([kind, index]).ljust(32, b"\1"))


def perp(index: int, oracle: Pubkey | None = None, source: int = 12) -> PerpTerms:
    return PerpTerms(index, f"P{index}", key(3, index), oracle or key(1, index), source, 0, 10**7, 100, 10**7)


def spot(index: int, oracle: Pubkey | None = None, source: int = 12, token: Pubkey = TOKEN) -> SpotTerms:
    return SpotTerms(
        index, f"S{index}", key(2, index), oracle or key(1, 100 + index), source, key(4, index), key(5, index), token,
        9, 10**6, 100, 10**6,
    )  # fmt: skip


QUOTE = spot(0, NO_ORACLE, 2)
DIRECTORY = Directory("drift_v2", [perp(index) for index in range(8)], [QUOTE, *(spot(i) for i in range(1, 8))])


def user(
    program: Program,
    spots: list[SpotPosition] | None = None,
    perps: list[PerpPosition] | None = None,
    orders: list[Order] | None = None,
) -> User:
    view = blank(program, User)
    for slot, held in enumerate(spots or []):
        view.put_spot(slot, held)
    for slot, position in enumerate(perps or []):
        view.put_perp(slot, position)
    for slot, order in enumerate(orders or []):
        view.put_order(slot, order)
    return view


def said(metas: list[AccountMeta]) -> list[tuple[Pubkey, bool]]:
    assert not any(meta.is_signer for meta in metas)
    return [(meta.pubkey, meta.is_writable) for meta in metas]

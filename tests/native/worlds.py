"""Random exchanges and portfolios as raw account bytes, which both sides read: the native code, and ours."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from struct import pack, pack_into
from typing import Any

from library import Accounts, Keyed
from solders.pubkey import Pubkey

from drift_engine.core.types import Account, Market
from drift_engine.venues.drift_v2.program import DRIFT_V2
from drift_engine.venues.translate import Names, Translator
from drift_engine.venues.wire.accounts import blank, decode_as
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.layout import discriminator
from drift_engine.venues.wire.oracle_accounts import PrelaunchOracle, PythLazerOracle
from drift_engine.venues.wire.oracles import QUOTE_ASSET, OraclePrice, read_oracle
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.records import HistoricalOracleData
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import PerpPosition, SpotPosition, User

SLOT = 300_000_000
OWNER = bytes(DRIFT_V2.program_id)
RECEIVER = bytes(Pubkey.from_string("G6EoTTTgpkNBtVXo96EQp2m6uwwVh2Kt6YidjkmQqoha"))
PUSHER = bytes(Pubkey.from_string("FsJ3A3u2vn5cTVofAjvy6y5kwABJAqYWpe4975bi2epH"))
PUSHES, PULLS, LAZERS = (0, 3, 4, 5), (7, 8, 9, 10), (12, 13, 14, 15)
STABLES = (5, 10, 15)
MULTIPLES = {3: 1_000, 8: 1_000, 13: 1_000, 4: 10**6, 9: 10**6, 14: 10**6}
PLAIN = (*PUSHES[:2], *PULLS[:2], *LAZERS[:2])
QUOTE = int(OracleSource.QUOTE_ASSET)
SETTLEMENT, ACTIVE = 7, 1
PREDICTION = 2


def size(random: Random, most: int, zero: float = 0.0) -> int:
    """Return an amount up to ``most``: as likely small as large, sometimes nothing."""
    return 0 if random.random() < zero else int(most ** random.random())


def signed(random: Random, most: int, zero: float = 0.0) -> int:
    """Return an amount of either sign."""
    return size(random, most, zero) * random.choice((-1, 1))


def key(kind: int, index: int) -> Pubkey:
    """Return an address of a test's own."""
    return Pubkey(bytes([kind, index]) + bytes(30))


@dataclass
class World:
    """Markets and oracles as bytes, and as the native code and core see them."""

    perps: dict[int, PerpMarket]
    spots: dict[int, SpotMarket]
    accounts: Accounts
    markets: dict[str, Market]
    names: Names
    readings: dict[str, OraclePrice]

    def translated(self, user: bytearray) -> Account:
        """Return our account of a user's bytes."""
        return TRANSLATOR.account(decode_as(User, DRIFT_V2.program_id, bytes(user)), self.names)


TRANSLATOR = Translator(DRIFT_V2)


def world(random: Random, dress: Callable[[Random, PerpMarket, int], None] | None = None) -> World:
    """Return a random exchange with six perp and six spot markets; ``dress`` adds to perp markets, given a price."""
    oracles: list[Keyed] = []
    readings: dict[str, OraclePrice] = {}
    spots = {index: _spot(random, index) for index in range(6)}
    perps = {index: _perp(random, index) for index in range(6)}
    views: list[SpotMarket | PerpMarket] = [*spots.values(), *perps.values()]
    for view in views:
        address = view.oracle
        if view.oracle_source != QUOTE:
            owner, data = _oracle(random, view.oracle_source, view is spots[0])
            oracles.append((bytes(address), owner, data))
            readings[view.name] = read_oracle(DRIFT_V2, view.oracle_source, Pubkey(owner), data, SLOT)
        else:
            readings[view.name] = QUOTE_ASSET
    if dress is not None:
        for market in perps.values():
            dress(random, market, readings[market.name].price_e6)
    keyed_spots = [(bytes(key(1, index)), OWNER, bytes(view.data)) for index, view in spots.items()]
    keyed_perps = [(bytes(key(2, index)), OWNER, bytes(view.data)) for index, view in perps.items()]
    markets = [TRANSLATOR.spot_market(_read(view), readings[view.name]) for view in spots.values()]
    markets += [TRANSLATOR.perp_market(_read(view), readings[view.name]) for view in perps.values()]
    return World(
        perps,
        spots,
        Accounts(keyed_perps, keyed_spots, oracles, SLOT),
        {market.name: market for market in markets},
        Names({index: view.name for index, view in perps.items()}, {index: view.name for index, view in spots.items()}),
        readings,
    )


def _read(view: Any) -> Any:
    return decode_as(type(view), DRIFT_V2.program_id, bytes(view.data))


def _oracle(random: Random, source: int, quote: bool) -> tuple[bytes, bytes]:
    """Return an oracle account's owner and its bytes."""
    if source == OracleSource.PRELAUNCH:
        launch = blank(DRIFT_V2, PrelaunchOracle)
        launch.price, launch.confidence = 10_000 + size(random, 10**9), size(random, 10**4)
        launch.amm_last_update_slot = SLOT - random.randrange(10)
        return OWNER, bytes(launch.data)
    multiple = MULTIPLES.get(source, 1)
    decimals = random.choice((8, 8, 10, 12)) if multiple > 1 else random.choice((4, 5, 6, 8, 10))
    price_e6 = random.randrange(980_000, 1_020_000) if quote else 10_000 + size(random, 2 * 10**11)
    price = price_e6 * 10**decimals // 10**6 // multiple or 10**decimals
    price += random.randrange(3)
    confidence, slot = size(random, 1 + price // 100), SLOT - random.randrange(30)
    return _feed(source, price, confidence, -decimals, slot, random.randrange(1, 1 << 50))


def _feed(source: int, price: int, confidence: int, exponent: int, slot: int, published: int) -> tuple[bytes, bytes]:
    """Return a Pyth account: Lazer's, the pull receiver's, or a push account with enough publishers."""
    if source in PULLS:
        head = discriminator("PriceUpdateV2") + bytes(32) + b"\1" + bytes(32)
        return RECEIVER, head + pack("<qQiq24xQ", price, confidence, exponent, published, slot)
    if source in PUSHES:
        data = bytearray(3_312)
        pack_into("<III4xiiII", data, 0, 0xA1B2C3D4, 2, 3, 1, exponent, 5, 5)
        pack_into("<Q", data, 40, slot)
        pack_into("<qQ", data, 208, price, confidence)
        return PUSHER, bytes(data)
    feed = blank(DRIFT_V2, PythLazerOracle)
    feed.price, feed.conf, feed.exponent, feed.posted_slot, feed.publish_time = (
        price, confidence, exponent, slot, published,
    )  # fmt: skip
    return OWNER, bytes(feed.data)


def _history(random: Random, price: int) -> HistoricalOracleData:
    near = [max(1, price * random.randrange(900, 1_100) // 1_000) for _ in range(3)]
    return HistoricalOracleData(near[0], 0, 0, near[1], near[2], 0)


def _spot(random: Random, index: int) -> SpotMarket:
    view = blank(DRIFT_V2, SpotMarket)
    view.market_index, view.name, view.status = index, f"S{index}" if index else "USDC", ACTIVE
    view.decimals = 6 if index == 0 else random.choice((5, 6, 8, 9, 9, 11))
    view.oracle_source = random.choice((QUOTE, *STABLES)) if index == 0 else random.choice(PLAIN)
    view.oracle = Pubkey.default() if view.oracle_source == QUOTE else key(3, index)
    view.cumulative_deposit_interest = 10**10 + size(random, 10**10)
    view.cumulative_borrow_interest = 10**10 + size(random, 10**10)
    view.deposit_balance, view.borrow_balance = size(random, 10**16), size(random, 10**16)
    view.historical_oracle_data = _history(random, 10**6)
    asset = random.randrange(1, 10_000) if index else 10_000
    view.initial_asset_weight = 0 if index and random.random() < 0.1 else asset
    view.maintenance_asset_weight = min(10_000, asset + random.randrange(1_000)) if index else 10_000
    liability = 10_000 + random.randrange(1, 9_000) if index else 10_000
    view.initial_liability_weight = liability
    view.maintenance_liability_weight = 10_000 + (liability - 10_000) // 2
    view.imf_factor = size(random, 200_000, zero=0.3) if index else 0
    view.scale_initial_asset_weight_start = size(random, 10**15, zero=0.6) if index else 0
    return view


def _perp(random: Random, index: int) -> PerpMarket:
    view = blank(DRIFT_V2, PerpMarket)
    view.market_index, view.name = index, f"P{index}-PERP"
    view.status = SETTLEMENT if random.random() < 0.1 else ACTIVE
    view.contract_type = PREDICTION if random.random() < 0.1 else 0
    view.contract_tier = random.randrange(6)
    view.oracle_source = random.choice((*PLAIN, *PLAIN, *MULTIPLES, int(OracleSource.PRELAUNCH)))
    view.oracle = key(4, index)
    view.cumulative_funding_rate_long = signed(random, 10**13, zero=0.2)
    view.cumulative_funding_rate_short = signed(random, 10**13, zero=0.2)
    view.expiry_price = signed(random, 10**9)
    initial = random.randrange(50, 5_000)
    view.margin_ratio_initial, view.margin_ratio_maintenance = initial, max(25, initial * random.randrange(3, 9) // 10)
    if random.random() < 0.5:
        view.high_leverage_margin_ratio_initial = max(20, initial // 2)
        view.high_leverage_margin_ratio_maintenance = max(10, initial // 3)
    view.imf_factor = size(random, 20_000, zero=0.3)
    view.unrealized_pnl_imf_factor = size(random, 20_000, zero=0.3)
    view.unrealized_pnl_initial_asset_weight = random.choice((0, 0, 10_000, random.randrange(1, 10_000)))
    view.unrealized_pnl_maintenance_asset_weight = random.choice((10_000, 10_000, random.randrange(1, 10_000)))
    view.unrealized_pnl_max_imbalance = size(random, 10**11, zero=0.4)
    view.base_asset_amount_with_amm = signed(random, 10**13)
    view.base_asset_amount_with_unsettled_lp = signed(random, 10**9, zero=0.7)
    view.base_asset_amount_long, view.base_asset_amount_short = size(random, 10**14), -size(random, 10**14)
    view.quote_asset_amount = signed(random, 10**13)
    view.quote_asset_amount_with_unsettled_lp = signed(random, 10**9, zero=0.7)
    view.net_unsettled_funding_pnl = signed(random, 10**9, zero=0.3)
    view.historical_oracle_data = _history(random, 1 + size(random, 10**10))
    return view


def user(random: Random) -> bytearray:
    """Return a random user account's bytes: up to five balances and five positions. The quote balance is the first."""
    view = blank(DRIFT_V2, User)
    view.max_margin_ratio = random.randrange(1, 20_000) if random.random() < 0.3 else 0
    view.margin_mode = random.choice((0, 0, 0, 1, 2))
    for index in random.sample(range(6), random.randrange(1, 6)):
        view.put_spot(index, balance(random, index))
    for slot, index in enumerate(random.sample(range(6), random.randrange(6))):
        view.put_perp(slot, position(random, index))
    data = view.data
    assert isinstance(data, bytearray)
    return data


def balance(random: Random, index: int) -> SpotPosition:
    """Return a random balance, of the quote asset without orders."""
    scaled = 0 if random.random() < 0.1 else 10**5 + size(random, 10**14)
    orders = random.random() < 0.3 and index != 0
    return SpotPosition(
        scaled,
        size(random, 10**12, zero=0.3) if orders else 0,
        -size(random, 10**12, zero=0.3) if orders else 0,
        0,
        index,
        int(random.random() < 0.35),
        random.randrange(1, 9) if orders else 0,
    )


def position(random: Random, index: int) -> PerpPosition:
    """Return a random perp position."""
    orders = random.random() < 0.4
    isolated = random.random() < 0.15
    return PerpPosition(
        signed(random, 10**13, zero=0.2),
        signed(random, 10**13, zero=0.2),
        signed(random, 10**12, zero=0.1),
        signed(random, 10**12),
        signed(random, 10**12),
        size(random, 10**13, zero=0.3) if orders else 0,
        -size(random, 10**13, zero=0.3) if orders else 0,
        0,
        isolated_position_scaled_balance=size(random, 10**13, zero=0.2) if isolated else 0,
        max_margin_ratio=random.randrange(1, 20_000) if random.random() < 0.2 else 0,
        market_index=index,
        open_orders=random.randrange(9) if orders else 0,
        position_flag=int(isolated),
    )

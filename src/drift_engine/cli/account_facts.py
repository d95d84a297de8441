"""An authority's sub-accounts as plain dictionaries: what ``account --json`` prints and its view and ``watch`` show.

Margin is core's, on the accounts as read; a sub-account that cannot be counted says so, and why. ``status`` is
``stale`` where a held market's oracle is one that the program would not count margin by.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from drift_engine.cli.order_facts import order_of
from drift_engine.core.equity import user_equity_e6
from drift_engine.core.health import health_of
from drift_engine.core.liquidation_price import liquidation_price_e6, spot_liquidation_price_e6
from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.margin_perp import unsettled_e6
from drift_engine.core.margin_scopes import every, scopes_of
from drift_engine.core.oracle_validity import accepts
from drift_engine.core.spot_balance import base_e9, token_amount
from drift_engine.core.types import Account, Margin, Market, PerpPosition, SpotBalance
from drift_engine.core.units import E9, MILLISECOND_NS
from drift_engine.core.valuation import PriceUnknownError, perp_value_e6, spot_value_e6
from drift_engine.status import margin_status, net_delta_e9
from drift_engine.venues.snapshot import Snapshot, SubAccount
from drift_engine.venues.snapshot.market_reads import AnyRead
from drift_engine.venues.wire.enums import UserStatus

Facts = dict[str, Any]


def account_of(snapshot: Snapshot, authority: str, age_ns: int | None = None) -> Facts:
    """Return an authority's sub-accounts. ``age_ns`` is how old what is known may be, where that was measured."""
    stats = snapshot.stats
    return {
        "venue": snapshot.program.name,
        "authority": authority,
        "slot": snapshot.slot,
        "block_time_s": snapshot.block_time_s,
        "age_ms": None if age_ns is None else age_ns // MILLISECOND_NS,
        "sub_accounts_made": None if stats is None else stats.number_of_sub_accounts_created,
        "sub_accounts_open": None if stats is None else stats.number_of_sub_accounts,
        "sub_accounts": [sub_account(snapshot, held) for held in snapshot.users],
    }


def sub_account(snapshot: Snapshot, held: SubAccount) -> Facts:
    """Return one sub-account."""
    view, markets = held.view, snapshot.markets
    now_ns = (snapshot.block_time_s or 0) * E9
    delegate = str(view.delegate)
    found: Facts = {
        "sub_account_id": view.sub_account_id,
        "address": str(held.address),
        "name": view.name,
        "delegate": None if set(delegate) == {"1"} else delegate,
        "flags": [flag.name.lower() for flag in UserStatus(view.status) if flag.name],
        "last_active_slot": view.last_active_slot,
        "problem": held.problem,
    }
    account = held.account
    margin = None if account is None else margin_of(account, markets, now_ns)
    if account is None or margin is None:
        unknown = {"margin": margin_status(None), "health_percent": None, "equity_e6": None}
        return found | unknown | {"net_delta_e9": {}, "balances": [], "positions": []} | _orders(snapshot, held)
    stale = _stale(snapshot, account)
    if margin.status == "known" and stale:
        margin = structs.replace(margin, status="stale")
    found["problem"] = found["problem"] or _why(account, markets) or (f"stale: {', '.join(stale)}" if stale else None)
    return (
        found
        | {
            "margin": _margin(margin),
            "health_percent": _health(account, markets),
            "equity_e6": _equity(account, markets),
        }
        | {"net_delta_e9": net_delta_e9(account, markets)}
        | {"balances": [_balance(each, account, markets) for each in account.spots]}
        | {"positions": [_position(each, account, markets) for each in account.perps]}
        | _orders(snapshot, held)
    )


def _orders(snapshot: Snapshot, held: SubAccount) -> Facts:
    return {"orders": [order_of(snapshot, order) for order in held.view.orders()]}


def _margin(margin: Margin) -> Facts:
    found = margin_status(margin)
    unknown = margin.status == "unknown"
    return {name: None if unknown and name.endswith("_e6") else value for name, value in found.items()}


def _stale(snapshot: Snapshot, account: Account) -> list[str]:
    """Return the held markets whose oracle margin may not be counted by."""
    names = {spot.market for spot in account.spots} | {perp.market for perp in account.perps}
    reads: list[AnyRead] = [*snapshot.spots, *snapshot.perps]
    return [
        f"{read.name} oracle {read.validity.replace('_', ' ')}"
        for read in reads
        if read.name in names and read.validity is not None and not accepts("margin", read.validity)
    ]


def _why(account: Account, markets: Mapping[str, Market]) -> str | None:
    """Return why margin is not known, ``None`` where it is."""
    try:
        scopes_of(account, markets, every("maintenance"))
    except PriceUnknownError as error:
        return str(error)
    return None


def _health(account: Account, markets: Mapping[str, Market]) -> int | None:
    try:
        return health_of(account, scopes_of(account, markets, every("maintenance")))
    except PriceUnknownError:
        return None


def _equity(account: Account, markets: Mapping[str, Market]) -> int | None:
    try:
        return user_equity_e6(account, markets)
    except PriceUnknownError:
        return None


def _balance(held: SpotBalance, account: Account, markets: Mapping[str, Market]) -> Facts:
    market = markets[held.market]
    known = market.oracle_e6 is not None or held.market == account.quote
    return {
        "market": held.market,
        "kind": "spot",
        "base_e9": base_e9(held, market),
        "tokens": token_amount(held.scaled_e9, market),
        "oracle_e6": market.oracle_e6,
        "value_e6": spot_value_e6(held, market, account.quote) if known else None,
        "liquidation_price_e6": _liquidation(account, markets, held.market, spot=True),
        "open_orders": held.open_orders,
    }


def _position(held: PerpPosition, account: Account, markets: Mapping[str, Market]) -> Facts:
    market, base = markets[held.market], held.base_e9
    known = market.oracle_e6 is not None or not base
    return {
        "market": held.market,
        "kind": "perp",
        "base_e9": base,
        "entry_e6": abs(held.quote_entry_e6) * E9 // abs(base) if base else None,
        "break_even_e6": abs(held.quote_break_even_e6) * E9 // abs(base) if base else None,
        "oracle_e6": market.oracle_e6,
        "value_e6": perp_value_e6(held, market) if known else None,
        "unsettled_funding_e6": unsettled_e6(held, market),
        "settled_pnl_e6": held.settled_e6,
        "liquidation_price_e6": _liquidation(account, markets, held.market, spot=False) if base else None,
        "open_bids_e9": held.open_bids_e9,
        "open_asks_e9": held.open_asks_e9,
        "open_orders": held.open_orders,
        "isolated": held.isolated,
        "funding_1h_e9": market.funding_e9,
    }


def _liquidation(account: Account, markets: Mapping[str, Market], name: str, *, spot: bool) -> int | None:
    price = spot_liquidation_price_e6 if spot else liquidation_price_e6
    try:
        return price(account, markets, name)
    except PriceUnknownError:
        return None

"""What happens by itself: oracles post prices, markets remember them, funding falls due, orders trigger and fill.

In a slot's first call the markets move. Then each account with open orders gets a call of its own: what is triggered
or filled of one account is one transaction of the chain's keeper. Which accounts those are, and whose turn it is, are
the ledger's notes: no account of the program says so. An order that would fill without enough margin is cancelled.
"""

from dataclasses import dataclass, field

from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from drift_engine.localnet.ledger import Ledger
from drift_engine.localnet.program import Invocation, ProgramError
from drift_engine.localnet.venue import actions, amm, funding
from drift_engine.localnet.venue.accounts import Accounts
from drift_engine.localnet.venue.actions import WHY
from drift_engine.localnet.venue.filling import Book, decided, fill
from drift_engine.localnet.venue.frame import Frame
from drift_engine.localnet.venue.listings import Listing, feed_of
from drift_engine.localnet.venue.maps import QUOTE, Maps
from drift_engine.localnet.venue.path import Path
from drift_engine.localnet.venue.refusals import NUMBERS
from drift_engine.localnet.venue.triggering import trigger
from drift_engine.localnet.venue.world import is_posted, post_price, posted_e6
from drift_engine.venues import addresses
from drift_engine.venues.errors import VenueError
from drift_engine.venues.program import Program
from drift_engine.venues.translate import orders as translate_orders
from drift_engine.venues.wire.oracle_accounts import PYTH_LAZER_ORACLE, PythLazerOracle
from drift_engine.venues.wire.perp_market import PerpMarket
from drift_engine.venues.wire.spot_market import SpotMarket
from drift_engine.venues.wire.user import ORDER_OPEN, Order, User

_OPEN, _TURN = "users with open orders", "whose turn it is"
_NO_MARGIN = NUMBERS["InsufficientCollateral"]
_SENSELESS = (ProgramError, VenueError, ArithmeticError, LookupError)
"""How accounts answer that somebody overwrote from outside, with bytes or figures that no program leaves."""


@dataclass(slots=True)
class Keeper:
    """Plays one program's slots. Without a path, oracles post the price they have."""

    program: Program
    listing: Listing
    book: Book = field(default_factory=Book)
    path: Path | None = None

    def tick(self, ledger: Ledger) -> bool:
        """Do the next thing of this slot, and say whether there is more."""
        turn = ledger.note(self._key(_TURN))
        if isinstance(turn, tuple) and turn[0] == ledger.slot:
            return self._serve_next(ledger, turn[1])
        self._move(ledger)
        waiting = self.waiting(ledger)
        if waiting:
            ledger.keep(self._key(_TURN), (ledger.slot, waiting))
        return bool(waiting)

    def waiting(self, ledger: Ledger) -> tuple[Pubkey, ...]:
        """Return the accounts with open orders, in the order in which they came."""
        known = ledger.note(self._key(_OPEN))
        return known if isinstance(known, tuple) else ()

    def noted(self, accounts: Accounts) -> None:
        """Note which of the accounts that were looked at have open orders."""
        ledger = accounts.ledger
        before = self.waiting(ledger)
        open_now = {address: bool(user.open_orders) for address, user in accounts.users()}
        after = [address for address in before if open_now.get(address, True)]
        after += [address for address, has in open_now.items() if has and address not in before]
        if tuple(after) != before:
            ledger.keep(self._key(_OPEN), tuple(after))

    # ------------------------------------------------------------------- markets

    def _move(self, ledger: Ledger) -> None:
        """Post prices, bring markets up to date, and set the hour's funding."""
        frame = self._frame(ledger)
        for asset in dict.fromkeys(spec.asset for spec in self.listing.specs.values()):
            self._post(ledger, asset)
        for spec in self.listing.perps():
            address = addresses.perp_market(self.program.program_id, spec.index)
            try:
                self._move_market(frame, address, spec.asset)
            except _SENSELESS:
                frame.accounts.forget(address)  # it stands still until it, its oracle and State can be read
        frame.accounts.write_back()

    def _move_market(self, frame: Frame, address: Pubkey, asset: str) -> None:
        market, rails = frame.accounts.perp(address), frame.state().oracle_guard_rails
        prices = self.path.at(asset, frame.now) if self.path else None
        if prices is not None:
            market.peg_multiplier = prices[1]
        reading = Maps(frame, {market.oracle}).price(market)
        amm.crank(market, reading, rails, frame.slot, frame.now)
        amm.remember_mark(market, frame.now, amm.quoted(market))
        funding.update_rate(frame, market, reading)

    def _post(self, ledger: Ledger, asset: str) -> None:
        address = addresses.pyth_lazer_oracle(self.program.program_id, feed_of(asset))
        account = ledger.get(address)
        if account is None or not is_posted(account.data):
            return  # gone, or somebody put there what nobody posts: it is left as it is
        oracle = PythLazerOracle(bytearray(account.data), PYTH_LAZER_ORACLE)
        price_e6 = posted_e6(oracle)
        if self.path is not None and asset != self.listing.quote:
            prices = self.path.at(asset, ledger.unix_timestamp)
            if prices is None:
                return
            price_e6 = prices[0]
        post_price(oracle, price_e6, ledger.slot, ledger.unix_timestamp)
        ledger.write(address, bytes(oracle.data))

    # ------------------------------------------------------------------- users

    def _serve_next(self, ledger: Ledger, queue: tuple[Pubkey, ...]) -> bool:
        for index, address in enumerate(queue):
            if self._serve(ledger, address):
                rest = queue[index + 1 :]
                ledger.keep(self._key(_TURN), (ledger.slot, rest))
                return bool(rest)
        return False

    def _serve(self, ledger: Ledger, address: Pubkey) -> bool:
        """Trigger, fill and expire what is due of an account's orders, and say whether anything was."""
        account = ledger.get(address)
        if account is None:
            return False
        try:
            slots = range(len(self._loaded(ledger, address)[1].order_slots()))
            return sum(self._work_on(ledger, address, slot) for slot in slots) > 0
        except _SENSELESS:
            return False

    def _work_on(self, ledger: Ledger, address: Pubkey, slot: int) -> bool:
        maps, user = self._loaded(ledger, address)
        order, lines = user.order_slots()[slot], len(ledger.lines)
        try:
            if order.status != ORDER_OPEN or not self._is_due(maps, user, order):
                return False
            self._do(maps, user, address, slot)
        except ProgramError as refusal:
            del ledger.lines[lines:]
            if refusal.code != _NO_MARGIN:
                return False
            maps, user = self._loaded(ledger, address)
            actions.cancelled(maps, user, address, slot, WHY.INSUFFICIENT_FREE_COLLATERAL, address)
        maps.frame.accounts.write_back()
        self.noted(maps.frame.accounts)
        return True

    def _is_due(self, maps: Maps, user: User, order: Order) -> bool:
        word = translate_orders.order(order)
        if word.triggers and not word.triggered:
            return True
        return actions.expires(order, maps.frame.now) or decided(maps, user, order, self.book) is not None

    def _do(self, maps: Maps, user: User, address: Pubkey, slot: int) -> None:
        word = translate_orders.order(user.order_slots()[slot])
        if word.triggers and not word.triggered:
            trigger(maps, user, address, slot, address)
            return
        stats = maps.frame.accounts.stats(addresses.user_stats(self.program.program_id, user.authority))
        fill(maps, user, address, stats, slot, self.book)

    def _loaded(self, ledger: Ledger, address: Pubkey) -> tuple[Maps, User]:
        """Return an account and the markets it holds something in or has an order in."""
        frame, program_id = self._frame(ledger, address), self.program.program_id
        user = frame.user()
        maps = Maps(frame)
        spots = {QUOTE, *(held.market_index for held in user.spot_positions())}
        perps = {held.market_index for held in user.perp_positions()} | {o.market_index for o in user.orders()}
        for index in sorted(spots):
            maps.spots[index] = frame.accounts.spot(addresses.spot_market(program_id, index))
        for index in sorted(perps):
            maps.perps[index] = frame.accounts.perp(addresses.perp_market(program_id, index))
        markets: list[PerpMarket | SpotMarket] = [*maps.spots.values(), *maps.perps.values()]
        maps.oracles = {market.oracle for market in markets}
        return maps, user

    def _frame(self, ledger: Ledger, address: Pubkey | None = None) -> Frame:
        named = {"state": _meta(self.program.state)} | ({"user": _meta(address)} if address else {})
        nothing = Invocation(self.program.program_id, (), b"", (), 0)
        return Frame(self.program, ledger, Accounts(self.program, ledger), nothing, named, ())

    def _key(self, what: str) -> str:
        return f"{self.program.name}: {what}"


def _meta(address: Pubkey) -> AccountMeta:
    return AccountMeta(address, is_signer=False, is_writable=True)

"""A venue ready to be served: its accounts from the start, somebody with money in hand, and who plays its program.

The program is played by the simulated venue; where a file of Drift v2's real program is given, that runs instead, and
only what no program does by itself is played beside it: oracles that post.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import time

from solders.account import Account
from solders.compute_budget import set_compute_unit_limit
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from drift_engine.localnet import tokens
from drift_engine.localnet.bank import Bank
from drift_engine.localnet.chain import Chain
from drift_engine.localnet.program import VenueProgram
from drift_engine.localnet.serving import ServeConfig
from drift_engine.localnet.venue import world
from drift_engine.localnet.venue.listings import LISTINGS
from drift_engine.localnet.venue.path import Path, Prices
from drift_engine.localnet.venue.program import PlayedVenue
from drift_engine.localnet.venue.real import OraclePoster, with_push_oracles
from drift_engine.venues import addresses
from drift_engine.venues.directory import QUOTE_INDEX, Directory
from drift_engine.venues.instructions import accounts, funds
from drift_engine.venues.instructions.remaining import remaining_accounts
from drift_engine.venues.instructions.tokens import token_account
from drift_engine.venues.instructions.trader import Trader, trader
from drift_engine.venues.program import Program
from drift_engine.venues.wire.accounts import decode_as
from drift_engine.venues.wire.spot_market import SpotMarket

LAMPORTS = 10**9
_COMPUTE_UNITS = 1_400_000


class NotEnrolledError(Exception):
    """The venue refused to open an account or to take a deposit; the message is its own."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with ``lamports`` and with tokens, by spot market and in their own units, in associated accounts."""

    address: Pubkey
    lamports: int = 100 * LAMPORTS
    tokens: Mapping[int, int] = field(default_factory=dict)


def with_venue(
    config: ServeConfig, program: Program, *, path: Path | None = None, people: Sequence[Person] = ()
) -> ServeConfig:
    """Return ``config`` with a venue on the chain, where ``people`` have money.

    ``config.chain.program_so`` runs the real program in place of the played one.
    """
    now = config.chain.start_unix if config.by_hand else int(time()) + config.clock_skew_s
    bank = Bank(config.chain.start_slot, now, config.chain.seed)
    prices_e6 = _opening_e6(program, path, now)
    found = world.genesis(program, bank.rent, bank.slot, now, prices_e6=prices_e6)
    path = Standing(path, prices_e6) if path is not None else None
    if config.chain.program_so is not None:
        found = with_push_oracles(program, found, prices_e6, bank.slot)
    for person in people:
        found |= _belongings(program, person, bank)
    played: VenueProgram = PlayedVenue(program, path=path)
    if config.chain.program_so is not None:
        played = OraclePoster(program, path)
    return replace(config, programs=(*config.programs, played), accounts=(*config.accounts, *found.items()))


def enrol(chain: Chain, program: Program, key: Keypair, deposit_e6: int) -> Trader:
    """Open an account for ``key`` and deposit quote tokens of its associated account. Raises ``NotEnrolledError``."""
    who = trader(program, key.pubkey())
    opening = [accounts.initialize_user_stats(program, who), accounts.initialize_user(program, who)]
    _submitted(chain, key, opening)
    _submitted(chain, key, [_deposit(chain, program, who, deposit_e6)])
    return who


@dataclass(frozen=True, slots=True)
class Standing:
    """A path, beside which what it does not price stands where it began, and is posted all the same."""

    path: Path
    prices_e6: Mapping[str, int]

    def at(self, asset: str, unix_s: int) -> Prices | None:
        """Return the path's prices of an asset, else those it began with."""
        found = self.path.at(asset, unix_s)
        price_e6 = self.prices_e6.get(asset)
        return found if found is not None or price_e6 is None else (price_e6, price_e6)


def _opening_e6(program: Program, path: Path | None, now: int) -> dict[str, int]:
    """Return what the venue's assets are worth at the start: by the path, and by the listing beside it."""
    listing = LISTINGS[program.name]
    assets = {spec.asset for spec in listing.specs.values()} - {listing.quote}
    first = {asset: path.at(asset, now) if path is not None else None for asset in assets}
    return {asset: world.PRICES_E6[asset] if found is None else found[0] for asset, found in first.items()}


def _belongings(program: Program, person: Person, bank: Bank) -> dict[Pubkey, Account]:
    found = {person.address: Account(person.lamports, b"", Pubkey.default())}
    mints = {spec.index: LISTINGS[program.name].mints[spec.name] for spec in LISTINGS[program.name].spots()}
    for index, amount in person.tokens.items():
        held = tokens.account_of(mints[index], person.address, amount, bank.rent(tokens.ACCOUNT_BYTES))
        found[token_account(person.address, mints[index])] = held
    return found


def _deposit(chain: Chain, program: Program, who: Trader, deposit_e6: int) -> Instruction:
    market = _quote(chain, program)
    directory = Directory(program.name)
    directory.read(market)
    rest = remaining_accounts(directory, [], write_spots=[QUOTE_INDEX])
    wallet = token_account(who.authority, market.mint)
    return funds.deposit(program, who, QUOTE_INDEX, deposit_e6, wallet, remaining=rest)


def _quote(chain: Chain, program: Program) -> SpotMarket:
    account = chain.bank.get(addresses.spot_market(program.program_id, QUOTE_INDEX))
    if account is None:
        raise NotEnrolledError(f"{program.name} has no market of its settlement token on this chain")
    return decode_as(SpotMarket, account.owner, account.data)


def _submitted(chain: Chain, key: Keypair, instructions: list[Instruction]) -> None:
    blockhash = chain.blocks.latest_hash("processed").hash
    budget = set_compute_unit_limit(_COMPUTE_UNITS)
    message = MessageV0.try_compile(key.pubkey(), [budget, *instructions], [], blockhash)
    outcome = chain.submit(VersionedTransaction(message, [key]))
    if outcome.err is not None:
        raise NotEnrolledError(f"the venue refused: {outcome.err}: {' · '.join(outcome.logs[-3:])}")

"""One call of a played program: its accounts by name, checked as Anchor checks them before the program runs.

Anchor takes the accounts in order first (enough of them, signatures, owners, discriminators), then the constraints in
order (``anchor-lang`` 0.29, ``codegen/accounts``). A refusal names the account at fault.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solders.instruction import AccountMeta
from solders.pubkey import Pubkey
from solders.sysvar import INSTRUCTIONS

from drift_engine.core.units import SECOND_NS
from drift_engine.localnet import tokens
from drift_engine.localnet.ledger import Ledger
from drift_engine.localnet.program import Invocation
from drift_engine.localnet.venue.accounts import Accounts
from drift_engine.localnet.venue.instructions import Played
from drift_engine.localnet.venue.refusals import refuse, require
from drift_engine.venues import addresses
from drift_engine.venues.program import Program
from drift_engine.venues.wire.events.kinds import Event
from drift_engine.venues.wire.state import State
from drift_engine.venues.wire.user import User
from drift_engine.venues.wire.user_stats import UserStats

_NOBODY = Pubkey.default()
_USERS = ("user", "from_user", "to_user", "filler")
_VAULT_OF = {"in_spot_market_vault": "in_market_index", "out_spot_market_vault": "out_market_index"}
Arguments = Mapping[str, Any]


@dataclass(slots=True)
class Frame:
    """An instruction being played. ``named`` are its accounts, ``rest`` the remaining ones."""

    program: Program
    ledger: Ledger
    accounts: Accounts
    invocation: Invocation
    named: dict[str, AccountMeta]
    rest: tuple[AccountMeta, ...]

    @property
    def now(self) -> int:
        """Unix time in seconds."""
        return self.ledger.unix_timestamp

    @property
    def now_ns(self) -> int:
        """Unix time in nanoseconds."""
        return self.ledger.unix_timestamp * SECOND_NS

    @property
    def slot(self) -> int:
        """The slot."""
        return self.ledger.slot

    def key(self, name: str) -> Pubkey:
        """Return a named account's address."""
        return self.named[name].pubkey

    def user(self, name: str = "user") -> User:
        """Return a named sub-account."""
        return self.accounts.user(self.key(name), name)

    def stats(self) -> UserStats:
        """Return the statistics given."""
        return self.accounts.stats(self.key("user_stats"))

    def state(self) -> State:
        """Return the protocol's state."""
        return self.accounts.state(self.key("state"))

    def emit(self, event: Event) -> None:
        """Log an event (``emit!``)."""
        self.ledger.program_data(self.program.events.encode(event))

    def emit_stack(self, event: Event) -> None:
        """Log an event as the program logs those it writes itself, to save memory (``emit_stack``)."""
        self.ledger.log(b64encode(self.program.events.encode(event)).decode())

    def say(self, text: str) -> None:
        """Log a line (``msg!``)."""
        self.ledger.log(text)


def checked(program: Program, ledger: Ledger, invocation: Invocation, one: Played, arguments: Arguments) -> Frame:
    """Return the frame of an instruction whose accounts are as Anchor demands, or refuse."""
    metas, wanted = invocation.accounts, one.call.accounts
    require(len(metas) >= len(wanted), "AccountNotEnoughKeys", account=wanted[min(len(metas), len(wanted) - 1)][0])
    named = {name: meta for (name, _, _), meta in zip(wanted, metas, strict=False)}
    frame = Frame(program, ledger, Accounts(program, ledger), invocation, named, metas[len(wanted) :])
    for name, signs, _ in wanted:
        require(named[name].is_signer or not signs, "AccountNotSigner", account=name)
        if one.constraints.get(name) != "init":
            _load(frame, name)
    for name, _, writable in wanted:
        if one.constraints.get(name) == "init":
            _is_derived(frame, name, arguments)
        require(named[name].is_writable or not writable, "ConstraintMut", account=name)
        if name in one.constraints and one.constraints[name] != "init":
            _CONSTRAINTS[one.constraints[name]](frame, name, arguments)
    return frame


def _load(frame: Frame, name: str) -> None:
    """Take one account as its type demands."""
    address = frame.key(name)
    if name in _USERS:
        frame.user(name)
    elif name == "user_stats":
        frame.stats()
    elif name == "state":
        frame.state()
    elif name == "perp_market":
        frame.accounts.perp(address)
    elif name == "spot_market":
        frame.accounts.spot(address)
    elif name.endswith(("vault", "token_account")):
        _token_account(frame, name)
    elif name == "token_program":
        require(address == tokens.TOKEN_PROGRAM, "InvalidProgramId", account=name)


def _token_account(frame: Frame, name: str) -> tokens.Held:
    account = frame.ledger.get(frame.key(name))
    if account is None:
        refuse("AccountNotInitialized", account=name)
    if account.owner != tokens.TOKEN_PROGRAM:
        refuse("AccountOwnedByWrongProgram", account=name)
    return tokens.held(tokens.token_account(account))


def _has_one(frame: Frame, name: str, arguments: Arguments) -> None:
    held = frame.stats() if name == "user_stats" else frame.user(name)
    require(held.authority == frame.key("authority"), "ConstraintHasOne", account=name)


def _can_sign(frame: Frame, name: str, arguments: Arguments) -> None:
    user, signer = frame.user(name), frame.key("authority")
    allowed = signer == user.authority or (signer == user.delegate and user.delegate != _NOBODY)
    require(allowed, "ConstraintRaw", account=name)


def _stats_of(frame: Frame, name: str, arguments: Arguments) -> None:
    require(frame.stats().authority == frame.user().authority, "ConstraintRaw", account=name)


def _is_derived(frame: Frame, name: str, arguments: Arguments) -> None:
    program_id, authority = frame.program.program_id, frame.key("authority")
    if name == "user_stats":
        derived = addresses.user_stats(program_id, authority)
    else:
        derived = addresses.user(program_id, authority, arguments["sub_account_id"])
    require(frame.key(name) == derived, "ConstraintSeeds", account=name)


def _vault(frame: Frame, name: str, arguments: Arguments) -> None:
    index = arguments[_VAULT_OF.get(name, "market_index")]
    require(
        frame.key(name) == addresses.spot_market_vault(frame.program.program_id, index), "ConstraintSeeds", account=name
    )


def _quote_vault(frame: Frame, name: str, arguments: Arguments) -> None:
    require(
        frame.key(name) == addresses.spot_market_vault(frame.program.program_id, 0), "ConstraintSeeds", account=name
    )


def _owned(frame: Frame, name: str, arguments: Arguments) -> None:
    require(_token_account(frame, name).owner == frame.key("authority"), "ConstraintTokenOwner", account=name)


def _signs_vaults(frame: Frame, name: str, arguments: Arguments) -> None:
    require(frame.key(name) == frame.state().signer, "ConstraintRaw", account=name)


def _shows_instructions(frame: Frame, name: str, arguments: Arguments) -> None:
    require(frame.key(name) == INSTRUCTIONS, "ConstraintAddress", account=name)


_CONSTRAINTS = {
    "has_one": _has_one,
    "can_sign": _can_sign,
    "stats_of": _stats_of,
    "derived": _is_derived,
    "vault": _vault,
    "quote_vault": _quote_vault,
    "owned": _owned,
    "signer_of": _signs_vaults,
    "sysvar": _shows_instructions,
}

"""A venue program, played: what a transaction's instruction does, and what happens by itself in each slot.

An instruction is found by its discriminator, its arguments are read, its accounts checked, and its handler changes the
accounts; they are written back when it succeeds. Refusals are the program's own. What the program has and this venue
does not play is refused as an unknown instruction, by its name where the name is known.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from solders.pubkey import Pubkey

from drift_engine.localnet.ledger import Ledger
from drift_engine.localnet.program import Invocation
from drift_engine.localnet.venue import (
    amm,
    cancelling,
    funding,
    funds,
    interest,
    lifecycle,
    placing,
    settling,
    swaps,
    taking,
    triggering,
)
from drift_engine.localnet.venue.filling import Book
from drift_engine.localnet.venue.frame import checked
from drift_engine.localnet.venue.instructions import ISOLATED, PLAYED, Played
from drift_engine.localnet.venue.keeper import Keeper
from drift_engine.localnet.venue.listings import LISTINGS
from drift_engine.localnet.venue.path import Path
from drift_engine.localnet.venue.refusals import refusal, refuse
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.instructions.orders import PLACE_SPOT_ORDER
from drift_engine.venues.program import Program

Handler = Callable[..., None]
_HANDLERS: Mapping[str, Handler] = {
    handler.__name__: handler
    for handler in (
        lifecycle.initialize_user_stats,
        lifecycle.initialize_user,
        lifecycle.delete_user,
        lifecycle.update_user_delegate,
        lifecycle.update_user_custom_margin_ratio,
        lifecycle.update_user_perp_position_custom_margin_ratio,
        lifecycle.update_user_margin_trading_enabled,
        funds.deposit,
        funds.withdraw,
        funds.transfer_deposit,
        swaps.begin_swap,
        swaps.end_swap,
        settling.settle_pnl,
        settling.settle_multiple_pnls,
        funding.settle_funding_payment,
        funding.update_funding_rate,
        amm.update_amms,
        interest.update_spot_market_cumulative_interest,
        placing.place_perp_order,
        placing.place_orders,
        placing.place_scale_orders,
        placing.modify_order,
        placing.modify_order_by_user_id,
        cancelling.cancel_order,
        cancelling.cancel_orders,
        cancelling.cancel_orders_by_ids,
        cancelling.cancel_order_by_user_id,
        triggering.trigger_order,
    )
}


class PlayedVenue:
    """One protocol's program."""

    def __init__(self, program: Program, book: Book | None = None, path: Path | None = None) -> None:
        self.program, self._book = program, book or Book()
        self._keeper = Keeper(program, LISTINGS[program.name], self._book, path)
        take = partial(taking.place_and_take_perp_order, book=self._book)
        self._handlers: Mapping[str, Handler] = {**_HANDLERS, "place_and_take_perp_order": take}

    @property
    def program_id(self) -> Pubkey:
        """The address its instructions are sent to and its accounts are owned by."""
        return self.program.program_id

    def execute(self, instruction: Invocation, ledger: Ledger) -> None:
        """Apply one instruction; raise ``ProgramError`` where the program refuses."""
        one = self._instruction(instruction.data)
        ledger.log(f"Instruction: {_camel(one.call.name)}")
        arguments = self._arguments(one, instruction.data)
        frame = checked(self.program, ledger, instruction, one, arguments)
        self._handlers[one.call.name](frame, *arguments.values())
        frame.accounts.write_back()
        self._keeper.noted(frame.accounts)

    def tick(self, ledger: Ledger) -> bool | None:
        """Do what happens by itself in a new slot."""
        return self._keeper.tick(ledger)

    def _instruction(self, data: bytes) -> Played:
        head = data[:8]
        if head in PLAYED:
            return PLAYED[head]
        velocity = self.program.name == "velocity"
        if velocity and head == PLACE_SPOT_ORDER.head:
            refuse("SpotDlobTradingDisabled", "spot is traded by swaps")
        if velocity and head in ISOLATED:
            refuse("IsolatedPositionDisabled", "isolated positions are not in the main network's build")
        name = ISOLATED.get(head, f"the instruction {head.hex()}")
        raise refusal("InstructionFallbackNotFound", f"{name} is not played by this venue")

    def _arguments(self, one: Played, data: bytes) -> dict[str, Any]:
        try:
            return one.call.arguments(self.program, data)
        except DecodeError as wrong:
            refuse("InstructionDidNotDeserialize", str(wrong))


def _camel(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))

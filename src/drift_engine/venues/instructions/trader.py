"""Who acts: a sub-account's addresses, and the key that signs for it."""

from dataclasses import dataclass

from solders.instruction import AccountMeta
from solders.pubkey import Pubkey

from drift_engine.venues import addresses
from drift_engine.venues.instructions.metas import write
from drift_engine.venues.program import Program


@dataclass(frozen=True, slots=True)
class Trader:
    """A sub-account of ``authority``. ``signer`` is the authority or its delegate."""

    authority: Pubkey
    signer: Pubkey
    sub_account_id: int
    user: Pubkey
    user_stats: Pubkey

    def pair(self) -> tuple[AccountMeta, AccountMeta]:
        """Return User and UserStats, writable, as makers and referrers stand behind the maps (``load_user_maps``)."""
        return write(self.user), write(self.user_stats)


def trader(program: Program, authority: Pubkey, sub_account_id: int = 0, signer: Pubkey | None = None) -> Trader:
    """Return a sub-account with its derived addresses; the authority signs unless a delegate is named."""
    return Trader(
        authority,
        signer or authority,
        sub_account_id,
        addresses.user(program.program_id, authority, sub_account_id),
        addresses.user_stats(program.program_id, authority),
    )

"""The blocks of the chain: slot, height, hash and time of each, and which of them a commitment sees.

The last block is the open one. ``processed`` is the open slot; ``confirmed`` lags it by one block, ``finalized`` by 32
(both can be set), and neither is before the first. A blockhash is that of a closed block and good for 150 blocks after
it (agave ``MAX_PROCESSING_AGE``). Slots and heights differ by ``HEIGHT_GAP``, so that nobody takes one for the other.
"""

from dataclasses import dataclass

from solders.hash import Hash

HEIGHT_GAP = 1_000
BLOCKHASH_BLOCKS = 150
BLOCKS_KEPT = 10_000
COMMITMENTS = ("processed", "confirmed", "finalized")


class FinalizedError(ValueError):
    """A rollback that would take back what is finalized."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block; ``time`` in Unix seconds."""

    slot: int
    parent: int
    height: int
    hash: Hash
    time: int


class Blocks:
    """The chain of blocks, the last of them open."""

    def __init__(self, first: Block, confirm_blocks: int, finality_blocks: int) -> None:
        self._blocks = [first]
        self._lags = dict(zip(COMMITMENTS, (0, confirm_blocks, finality_blocks), strict=True))
        self._root = first

    @property
    def open(self) -> Block:
        """Return the open block."""
        return self._blocks[-1]

    def append(self, slot: int, blockhash: Hash, time: int) -> Block:
        """Close the open block and open the next."""
        block = Block(slot, self.open.slot, self.open.height + 1, blockhash, time)
        self._blocks.append(block)
        del self._blocks[:-BLOCKS_KEPT]
        lagging = self._lagging("finalized")
        self._root = lagging if lagging.height > self._root.height else self._root
        return block

    def roll_back(self, count: int) -> Block:
        """Drop the open block and ``count`` closed ones; return the last that stays.

        Raise ``FinalizedError`` where one of them is finalized.
        """
        last = len(self._blocks) - 2 - count
        if last < 0 or self._blocks[last + 1].slot <= self.at("finalized").slot:
            raise FinalizedError(f"{count} closed blocks cannot be rolled back: a finalized one is among them")
        del self._blocks[last + 1 :]
        return self.open

    def at(self, commitment: str) -> Block:
        """Return the newest block a commitment sees; what was finalized stays so, whatever is rolled back."""
        lagging = self._lagging(commitment)
        return lagging if lagging.height > self._root.height else self._root

    def _lagging(self, commitment: str) -> Block:
        return self._blocks[max(0, len(self._blocks) - 1 - self._lags[commitment])]

    def before(self, block: Block, count: int) -> Block:
        """Return the block ``count`` blocks before another, or the oldest kept."""
        return self._blocks[max(0, len(self._blocks) - 1 - (self.open.height - block.height) - count)]

    def find(self, slot: int) -> Block | None:
        """Return the block of a slot; None where the slot is ahead, was skipped, or is no longer kept."""
        return next((block for block in reversed(self._blocks) if block.slot == slot), None)

    def latest_hash(self, commitment: str) -> Block:
        """Return the closed block whose hash a commitment hands out."""
        block = self.at(commitment)
        return self.before(block, 1) if block is self.open else block

    def of_hash(self, blockhash: Hash) -> Block | None:
        """Return the closed block of a blockhash if the hash is still good in the open block."""
        recent = self._blocks[-1 - BLOCKHASH_BLOCKS : -1]
        return next((block for block in reversed(recent) if block.hash == blockhash), None)

    def seen_by(self, slot: int) -> str:
        """Return the highest commitment that sees a slot."""
        return next(name for name in reversed(COMMITMENTS) if self.at(name).slot >= slot)

    def above(self, slot: int) -> int:
        """Return how many blocks stand on a slot's."""
        return sum(block.slot > slot for block in self._blocks[-1 - BLOCKHASH_BLOCKS :])

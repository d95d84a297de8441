"""Bundles of the Jito block engine: what was sent, what is told of it, and what that proves.

A bundle's id is the hash of its signatures, so it is known before it is sent, and a lost answer loses nothing: ask for
the id. What the engine says is about the engine: a bundle it failed or no longer knows can still land by another way as
long as its blockhash lives (a block that was skipped can be sent again by anyone, outside the bundle). Only a landing,
or the last valid block height behind us, settles anything.

Source: Jito's documentation at commit b5ef793, and ``derive_bundle_id`` of jito-solana's ``sdk/src/bundle``.
"""

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal

from msgspec import Struct, field
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from drift_engine.venues.figures import FigureError, at_least
from drift_engine.venues.http import InvalidRequestError

Sent = Literal["accepted", "refused", "unknown"]
InflightState = Literal["Invalid", "Pending", "Failed", "Landed"]
MAX_TRANSACTIONS = 5
MAX_IDS = 5
MAX_TRANSACTION_BYTES = 1232
MIN_TIP_LAMPORTS = 1_000
TIP_ACCOUNTS = tuple(
    map(
        Pubkey.from_string,
        (
            "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5",
            "HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe",
            "Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY",
            "ADaUMid9yfUytqMBgopwjb2DTLSokTSzL1zt6iGPaS49",
            "DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh",
            "ADuUkR4vqLUMWXxW9gh6D6L8pMSawimctcNZ5pGwDcEt",
            "DttWaMuVvTiduZRnguLF7jNxTgiMBZ1hyAumKUiL2KRL",
            "3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT",
        ),
    )
)


class BundleAck(Struct, frozen=True, kw_only=True):
    """What sending a bundle came to. ``unknown``: nobody answered, it may be on its way.

    ``refused`` is about this one sending: the engine also refuses what it already has. ``reported_id`` is the engine's
    id where it differs from ours.
    """

    bundle_id: str
    signatures: tuple[Signature, ...]
    sent: Sent
    reason: str | None = None
    retry_after_s: float | None = None
    reported_id: str | None = None


class TransactionAck(Struct, frozen=True, kw_only=True):
    """What sending one transaction came to; ``bundle_id`` where it went as a bundle of its own."""

    signature: Signature
    sent: Sent
    reason: str | None = None
    retry_after_s: float | None = None
    bundle_id: str | None = None


class BundleStatus(Struct, frozen=True):
    """A bundle found on chain. ``error`` is about looking it up; where it is not ``None`` nothing is known."""

    bundle_id: str
    signatures: tuple[str, ...]
    slot: int
    confirmation: str | None
    error: str | None


class InflightStatus(Struct, frozen=True):
    """A bundle within the engine's five minutes of memory."""

    bundle_id: str
    state: InflightState
    landed_slot: int | None


class TipFloor(Struct, frozen=True, kw_only=True):
    """What landed bundles tipped lately, lamports, rounded up; ``time`` is the service's."""

    time: str
    p25: int
    p50: int
    p75: int
    p95: int
    p99: int
    ema_p50: int


class BundleLanded(Struct, frozen=True):
    """It is on chain, all of it. Before ``finalized`` a fork can still take it away."""

    bundle_id: str
    slot: int
    confirmation: str | None

    @property
    def final(self) -> bool:
        """Whether nothing can take it away."""
        return self.confirmation == "finalized"


class BundleFailed(Struct, frozen=True):
    """Every region marked it as failed and none forwarded it. ``expired``: and it can never land any more."""

    bundle_id: str
    expired: bool


class BundleInvalid(Struct, frozen=True):
    """The engine does not have it: never received, or more than five minutes ago. ``expired``: can never land now."""

    bundle_id: str
    expired: bool


class BundleUnsettled(Struct, frozen=True):
    """Nothing is proven: it may land. ``expired``: its blockhash is dead, so look its signatures up once more."""

    bundle_id: str
    why: str
    expired: bool


BundleOutcome = BundleLanded | BundleFailed | BundleInvalid | BundleUnsettled


def outcome(
    bundle_id: str,
    status: BundleStatus | None,
    inflight: InflightStatus | None,
    *,
    block_height: int,
    last_valid_block_height: int,
) -> BundleOutcome:
    """Return what is proven of a bundle by both statuses, at a block height the chain has confirmed."""
    expired = block_height > last_valid_block_height
    if status is not None and status.error is None:
        return BundleLanded(bundle_id, status.slot, status.confirmation)
    if inflight is not None and inflight.state == "Landed" and inflight.landed_slot is not None:
        return BundleLanded(bundle_id, inflight.landed_slot, None)
    if status is not None and status.error is not None:
        return BundleUnsettled(bundle_id, f"its status could not be looked up: {status.error}", expired)
    if inflight is None:
        return BundleUnsettled(bundle_id, "the block engine says nothing of it", expired)
    if inflight.state == "Failed":
        return BundleFailed(bundle_id, expired)
    if inflight.state == "Invalid":
        return BundleInvalid(bundle_id, expired)
    return BundleUnsettled(bundle_id, "it is pending", expired)


def bundle_id(transactions: Sequence[bytes]) -> str:
    """Return the id of a bundle of signed transactions: sha256 of their first signatures, base58, joined by commas."""
    return _id_of(signatures_of(transactions))


def signatures_of(transactions: Sequence[bytes]) -> tuple[Signature, ...]:
    """Return the first signature of each transaction. Raises ``InvalidRequestError`` where they make no bundle."""
    if not 1 <= len(transactions) <= MAX_TRANSACTIONS:
        raise InvalidRequestError(f"a bundle has 1 to {MAX_TRANSACTIONS} transactions, not {len(transactions)}")
    signatures = tuple(_signature(raw, place) for place, raw in enumerate(transactions))
    if len(set(signatures)) < len(signatures):
        raise InvalidRequestError("the same transaction is twice in one bundle: it could land only once")
    return signatures


def _id_of(signatures: Sequence[Signature]) -> str:
    return hashlib.sha256(",".join(map(str, signatures)).encode()).hexdigest()


def _signature(raw: bytes, place: int) -> Signature:
    if len(raw) > MAX_TRANSACTION_BYTES:
        raise InvalidRequestError(f"transaction {place} has {len(raw)} bytes: at most {MAX_TRANSACTION_BYTES} fit")
    try:
        transaction = VersionedTransaction.from_bytes(raw)
    except ValueError as error:
        raise InvalidRequestError(f"transaction {place} cannot be read: {error}") from None
    if not transaction.signatures or bytes(transaction) != raw:
        raise InvalidRequestError(f"transaction {place} is no transaction, or has bytes behind its end")
    if Signature.default() in transaction.signatures:
        raise InvalidRequestError(f"transaction {place} is not signed by everybody")
    return transaction.signatures[0]


class WireStatus(Struct):
    """A row of ``getBundleStatuses``; its confirmation is documented under two names."""

    bundle_id: str
    slot: int
    transactions: tuple[str, ...] = ()
    confirmation_status: str | None = None
    confirmation_too: str | None = field(default=None, name="confirmationStatus")
    err: Any = None

    def value(self) -> BundleStatus:
        """Return it with its error read: ``{"Ok": null}`` and ``null`` are none."""
        error = None if self.err is None or self.err == {"Ok": None} else str(self.err)[:200]
        confirmation = self.confirmation_status or self.confirmation_too
        return BundleStatus(self.bundle_id, self.transactions, self.slot, confirmation, error)


class WireInflight(Struct):
    """A row of ``getInflightBundleStatuses``."""

    bundle_id: str
    status: InflightState
    landed_slot: int | None = None

    def value(self) -> InflightStatus:
        """Return it."""
        return InflightStatus(self.bundle_id, self.status, self.landed_slot)


class WireTipFloor(Struct):
    """The tip floor, in SOL as printed from floats."""

    time: str
    landed_tips_25th_percentile: Decimal
    landed_tips_50th_percentile: Decimal
    landed_tips_75th_percentile: Decimal
    landed_tips_95th_percentile: Decimal
    landed_tips_99th_percentile: Decimal
    ema_landed_tips_50th_percentile: Decimal

    def value(self) -> TipFloor:
        """Return it in lamports, rounded up."""
        return TipFloor(
            time=self.time,
            p25=_lamports(self.landed_tips_25th_percentile),
            p50=_lamports(self.landed_tips_50th_percentile),
            p75=_lamports(self.landed_tips_75th_percentile),
            p95=_lamports(self.landed_tips_95th_percentile),
            p99=_lamports(self.landed_tips_99th_percentile),
            ema_p50=_lamports(self.ema_landed_tips_50th_percentile),
        )


def _lamports(sol: Decimal) -> int:
    lamports = at_least(sol, 9)
    if lamports < 0:
        raise FigureError(f"a tip of {lamports} lamports")
    return lamports

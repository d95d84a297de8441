"""An oracle account's bytes in, the price that the program would read out: same source, same scale, same rounding.

``read_oracle`` follows ``state/oracle.rs`` (get_oracle_price, get_pyth_price, get_pyth_stable_coin_price,
get_prelaunch_price): the account is read as the market's ``oracle_source`` says, the feed's exponent and the source's
multiple (1K, 1M) become a price in 1e6, truncated toward zero; a stablecoin within 5 bp and its confidence of 1 is 1.
Who may own an oracle account is ``state/oracle_map.rs``. Where the programs differ, the protocol's record says so.

Layouts outside the programs: Pyth's push account (``Price`` of pyth-client 0.2, magic, version 2, kind 3) and pull
account (``PriceUpdateV2`` of pyth-solana-receiver-sdk). Switchboard's are not read.
"""

from collections.abc import Callable
from functools import cache
from struct import Struct as Format
from struct import error

from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.core.units import tdiv
from drift_engine.venues.errors import DecodeError
from drift_engine.venues.program import Program
from drift_engine.venues.wire.enums import OracleSource, known
from drift_engine.venues.wire.layout import Buffer, discriminator
from drift_engine.venues.wire.oracle_accounts import PRELAUNCH_ORACLE, PYTH_LAZER_ORACLE

ONE_E6 = 1_000_000
FIVE_BPS_E6 = 500
LARGEST_EXPONENT = 38
PYTH_PUSH_MAGIC = 0xA1B2C3D4
PYTH_PUSH_HEADER = (PYTH_PUSH_MAGIC, 2, 3)
PRICE_UPDATE_HEAD = discriminator("PriceUpdateV2")
_LAZER = Format("<8sqQQi4xQ")
_LAZER_HEAD = PYTH_LAZER_ORACLE.head
_PRELAUNCH = Format("<8xq8xQ8xQ")
_PUSH = Format("<III8xiII8xQ160xqQ")
_PUSH_SIZE = 3312
_PULL = Format("<32xqQiq24xQ")
_PULL_PARTIAL, _PULL_FULL = 0, 1
_LEAST, _MOST, _MOST_UNSIGNED = -(1 << 63), (1 << 63) - 1, (1 << 64) - 1


class OraclePrice(Struct, frozen=True, gc=False):
    """What the program reads (``OraclePriceData``), and the slot the price was posted in.

    ``delay_slots`` counts from there to the slot asked for; it is negative where the price is newer. ``sequence_id``
    orders updates of one feed and is ``None`` where the feed has none.
    """

    price_e6: int
    confidence_e6: int
    delay_slots: int
    has_sufficient_points: bool = True
    sequence_id: int | None = None
    posted_slot: int | None = None


Quote = tuple[int, int, int, int, int | None, bool]
"""A Pyth price as its account says it: price, confidence, exponent, posted slot, sequence id, sufficient points."""

Reader = Callable[[Buffer, int], OraclePrice]
"""An account's bytes and a slot in, the price out; too few bytes are a ``struct.error``."""

QUOTE_ASSET = OraclePrice(price_e6=ONE_E6, confidence_e6=1, delay_slots=0)


def read_oracle(program: Program, source: int, owner: Pubkey, data: Buffer, slot: int) -> OraclePrice:
    """Return the price that ``program`` reads at ``slot`` from an account of ``owner`` for a market of that source.

    Raises ``DecodeError`` for a source that the protocol does not read, a foreign owner, and bytes that are no oracle.
    The quote asset's price is 1, whatever the account.
    """
    reader = _READERS.get(source)
    if reader is None or source not in program.oracles.sources:
        return _special(program, source, owner, data, slot)
    if owner is not program.program_id:
        _require_reads(program, owner)
    try:
        return reader(data, slot)
    except error:
        named = OracleSource(source).name
        raise DecodeError(f"an oracle account of {len(data)} bytes is too short for {named}") from None


def _special(program: Program, source: int, owner: Pubkey, data: Buffer, slot: int) -> OraclePrice:
    """Return the price of a source that is no Pyth feed."""
    if source not in program.oracles.sources:
        named = known(OracleSource, source).name
        raise DecodeError(f"oracle source {named} is not supported: {program.name} is not read from such accounts")
    if source == OracleSource.QUOTE_ASSET:
        return QUOTE_ASSET
    _require_reads(program, owner)
    return _prelaunch(program, data, slot)


def _require_reads(program: Program, owner: Pubkey) -> None:
    if owner != program.program_id and owner not in program.oracles.owners:
        raise DecodeError(f"the oracle account belongs to {owner}, whose oracles {program.name} does not read")


def _scaled(quote: Quote, multiple: int, slot: int) -> OraclePrice:
    """Return a Pyth price in 1e6 (``get_pyth_price``)."""
    price, confidence, exponent, posted_slot, sequence_id, sufficient = quote
    up, down = _scale(exponent, multiple)
    price_e6, confidence_e6 = (price * up if down == 1 else tdiv(price, down)), confidence * up // down
    if not _LEAST <= price_e6 <= _MOST or confidence_e6 > _MOST_UNSIGNED or posted_slot > _MOST:
        raise DecodeError(f"the oracle's price {price} at {exponent} is out of the program's range")
    return OraclePrice(price_e6, confidence_e6, slot - posted_slot, sufficient, sequence_id, posted_slot)


@cache
def _scale(exponent: int, multiple: int) -> tuple[int, int]:
    """Return by what a price is multiplied and divided to be in 1e6; one of them is 1."""
    digits = abs(exponent)
    if digits > LARGEST_EXPONENT:
        raise DecodeError(f"the oracle's exponent {exponent} is out of the program's range")
    precision = 10**digits
    if precision <= multiple:
        raise DecodeError(f"the oracle's precision {precision} is not above its source's multiple {multiple}")
    precision //= multiple
    return (1, precision // ONE_E6) if precision > ONE_E6 else (ONE_E6 // precision, 1)


def _pegged(found: OraclePrice) -> OraclePrice:
    """Return a stablecoin's price: 1 where it is within 5 bp of it and within its confidence."""
    if found.confidence_e6 > _MOST:
        raise DecodeError(f"the oracle's confidence {found.confidence_e6} is out of the program's range")
    if abs(found.price_e6 - ONE_E6) > min(FIVE_BPS_E6, found.confidence_e6):
        return found
    return OraclePrice(
        ONE_E6,
        found.confidence_e6,
        found.delay_slots,
        found.has_sufficient_points,
        found.sequence_id,
        found.posted_slot,
    )


def _lazer(multiple: int) -> Reader:
    """Return the reader of Lazer feeds, as most are: a price of more digits than 1e6 is within the range as it is."""
    precisions = {exponent: 10 ** abs(exponent) // multiple for exponent in range(-LARGEST_EXPONENT, 1)}
    divisors = {exponent: found // ONE_E6 for exponent, found in precisions.items() if found >= ONE_E6}

    def read(data: Buffer, slot: int) -> OraclePrice:
        try:
            head, price, published, posted_slot, exponent, confidence = _LAZER.unpack_from(data)
        except error:
            if data[:8] == _LAZER_HEAD:
                raise
            head = data[:8]
        if head != _LAZER_HEAD:
            raise DecodeError(f"no PythLazerOracle: the account starts with {bytes(head).hex()}")
        down = divisors.get(exponent)
        if down and price >= 0 and posted_slot <= _MOST:
            delay = slot - posted_slot
            return OraclePrice(price // down, confidence // down, delay, True, published, posted_slot)  # noqa: FBT003
        return _scaled((price, confidence, exponent, posted_slot, published, True), multiple, slot)

    return read


def _pyth(account: Callable[[Buffer], Quote], multiple: int) -> Reader:
    return lambda data, slot: _scaled(account(data), multiple, slot)


def _stable(reader: Reader) -> Reader:
    return lambda data, slot: _pegged(reader(data, slot))


def _push(data: Buffer) -> Quote:
    if len(data) < _PUSH_SIZE:
        raise DecodeError(f"a Pyth price account has {_PUSH_SIZE} bytes, this one {len(data)}")
    magic, version, kind, exponent, feeds, quoters, slot, price, confidence = _PUSH.unpack_from(data)
    if (magic, version, kind) != PYTH_PUSH_HEADER:
        raise DecodeError(f"no Pyth price account: magic {magic:#x}, version {version}, kind {kind}")
    return price, confidence, exponent, slot, None, quoters >= min(feeds, 3)


def _pull(data: Buffer) -> Quote:
    if data[:8] != PRICE_UPDATE_HEAD:
        raise DecodeError(f"no PriceUpdateV2: the account starts with {bytes(data[:8]).hex()}")
    if len(data) < 41 or data[40] not in {_PULL_PARTIAL, _PULL_FULL}:
        raise DecodeError("no PriceUpdateV2: it does not say how it was verified")
    at = 41 if data[40] == _PULL_FULL else 42
    price, confidence, exponent, published, slot = _PULL.unpack_from(data, at)
    return price, confidence, exponent, slot, max(published, 0), True


def _prelaunch(program: Program, data: Buffer, slot: int) -> OraclePrice:
    if data[:8] != PRELAUNCH_ORACLE.head or len(data) < PRELAUNCH_ORACLE.size:
        raise DecodeError(f"no PrelaunchOracle: {len(data)} bytes that start with {bytes(data[:8]).hex()}")
    price, confidence, updated = _PRELAUNCH.unpack_from(data)
    return OraclePrice(price, confidence, program.oracles.prelaunch_delay(updated, slot), posted_slot=updated)


_READERS: dict[int, Reader] = {
    OracleSource.PYTH: _pyth(_push, 1),
    OracleSource.PYTH_1K: _pyth(_push, 1_000),
    OracleSource.PYTH_1M: _pyth(_push, 1_000_000),
    OracleSource.PYTH_STABLE_COIN: _stable(_pyth(_push, 1)),
    OracleSource.PYTH_PULL: _pyth(_pull, 1),
    OracleSource.PYTH_1K_PULL: _pyth(_pull, 1_000),
    OracleSource.PYTH_1M_PULL: _pyth(_pull, 1_000_000),
    OracleSource.PYTH_STABLE_COIN_PULL: _stable(_pyth(_pull, 1)),
    OracleSource.PYTH_LAZER: _lazer(1),
    OracleSource.PYTH_LAZER_1K: _lazer(1_000),
    OracleSource.PYTH_LAZER_1M: _lazer(1_000_000),
    OracleSource.PYTH_LAZER_STABLE_COIN: _stable(_lazer(1)),
}

"""100,000 random and mutated accounts, oracles, events, log lines: a value or a ``VenueError``, nothing else, no hang.

A case that hangs is caught by the whole run's budget, which is several times what it takes.
"""

import random
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

from account_values import kinds, random_account
from event_values import random_event
from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.venues.errors import VenueError
from drift_engine.venues.programs import DRIFT_V2, PROGRAMS, VELOCITY
from drift_engine.venues.wire.accounts import decode
from drift_engine.venues.wire.enums import OracleSource
from drift_engine.venues.wire.logs import parse
from drift_engine.venues.wire.oracles import PRICE_UPDATE_HEAD, read_oracle
from drift_engine.venues.wire.user import User

ACCOUNTS, ORACLES, EVENTS, LOGS = 40_000, 20_000, 20_000, 20_000
RECEIVER = Pubkey.from_string("G6EoTTTgpkNBtVXo96EQp2m6uwwVh2Kt6YidjkmQqoha")


def mutated(random_: random.Random, data: bytes) -> bytes:
    """Return bytes with some of them changed, cut off, put in, or all of them replaced."""
    choice = random_.randrange(8)
    if choice == 0:
        return random_.randbytes(random_.randrange(300))
    if choice == 1:
        return data[: random_.randrange(len(data) + 1)]
    if choice == 2:
        at = random_.randrange(len(data) + 1)
        return data[:at] + random_.randbytes(random_.randrange(1, 9)) + data[at:]
    if choice == 3:
        return data[:8] + random_.randbytes(max(0, len(data) - 8))
    changed = bytearray(data)
    for _ in range(random_.randrange(1, 40)):
        changed[random_.randrange(len(changed))] = random_.choice((0, 1, 2, 0x7F, 0x80, 0xFF, random_.randrange(256)))
    return bytes(changed)


def read_account(owner: Pubkey, data: bytes) -> object:
    view = decode(owner, data)
    if isinstance(view, User):
        return view.spot_positions(), view.perp_positions(), view.orders(), view.name, view.next_order_id
    return view.snapshot()


def accounts(random_: random.Random) -> Iterator[Callable[[], object]]:
    seeds = [
        (program.program_id, bytes(random_account(random_, program, kind)[0].data))
        for program, kind in product(PROGRAMS.values(), kinds())
    ]
    owners = [program.program_id for program in PROGRAMS.values()]
    for _ in range(ACCOUNTS):
        owner, data = random_.choice(seeds)
        if random_.random() < 0.1:
            owner = random_.choice([*owners, Pubkey(random_.randbytes(32))])
        yield partial(read_account, owner, mutated(random_, data))


def oracles(random_: random.Random) -> Iterator[Callable[[], object]]:
    push = b"\xd4\xc3\xb2\xa1\2\0\0\0\3\0\0\0".ljust(3312, b"\0")
    own = [bytes(random_account(random_, VELOCITY, kind)[0].data) for kind in kinds() if "Oracle" in kind.__name__]
    seeds = [push, PRICE_UPDATE_HEAD + random_.randbytes(32) + b"\1" + random_.randbytes(93), *own]
    for _ in range(ORACLES):
        program, source = random_.choice((VELOCITY, DRIFT_V2)), random_.randrange(len(OracleSource) + 2)
        owner = random_.choice((program.program_id, RECEIVER, Pubkey(random_.randbytes(32))))
        data, slot = mutated(random_, random_.choice(seeds)), random_.getrandbits(40)
        yield partial(read_oracle, program, source, owner, data, slot)


def events(random_: random.Random) -> Iterator[Callable[[], object]]:
    seeds = [
        (program, program.events.encode(random_event(random_, program, kind)))
        for program in PROGRAMS.values()
        for kind in program.events.kinds.values()
    ]
    for _ in range(EVENTS):
        program, data = random_.choice(seeds)
        yield partial(program.events.decode, mutated(random_, data))


def logs(random_: random.Random) -> Iterator[Callable[[], object]]:
    raw = VELOCITY.events.encode(random_event(random_, VELOCITY, next(iter(VELOCITY.events.kinds.values()))))
    mine, other = str(VELOCITY.program_id), "ComputeBudget111111111111111111111111111111"
    lines = [
        *(f"Program {name} invoke [{depth}]" for name in (mine, other) for depth in (0, 1, 2, 999)),
        *(
            f"Program {name} {end}"
            for name in (mine, other)
            for end in ("success", "failed: custom program error: 0x1773")
        ),
        *(f"Program {mine} failed: {why}" for why in ("", "custom program error: 0xffffffffff", "no")),
        *("Log truncated", "Program data: ", "Program log: ", "", "Program data: =", f"Program return: {mine} AA=="),
        "Program log: AnchorError occurred. Error Code: A. Error Number: 6003. Error Message: x.",
        "Program log: AnchorError " * 50,
    ]
    for _ in range(LOGS):
        said = [
            f"Program {random_.choice(('data', 'log'))}: {b64encode(mutated(random_, raw)).decode()}" for _ in range(2)
        ]
        mixed = random_.choices(lines + said, k=random_.randrange(1, 8))
        at = random_.randrange(len(mixed))
        if random_.random() < 0.3:
            mixed[at] = mutated(random_, mixed[at].encode() or b"?").decode("utf-8", "replace")
        yield partial(parse, mixed)


def answer(case: Callable[[], object]) -> object:
    try:
        return case()
    except VenueError as refusal:
        return refusal


def test_whatever_the_bytes_the_answer_is_a_value_or_a_clear_refusal() -> None:
    random_ = random.Random(20261122)
    seen = Counter[str]()
    for kind in (accounts, oracles, events, logs):
        for case in kind(random_):
            found = answer(case)
            assert isinstance(found, tuple | Struct | VenueError)
            seen[f"{kind.__name__} {'refused' if isinstance(found, VenueError) else 'read'}"] += 1
            assert "\n" not in str(found if isinstance(found, VenueError) else "")
    assert seen.total() == 100_000
    assert min(seen[f"{kind} {end}"] for kind in ("accounts", "oracles") for end in ("read", "refused")) > 1_000
    assert seen["events read"] == EVENTS
    assert seen["logs read"] == LOGS

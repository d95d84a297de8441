"""How a played program says no: with the program's own error name and number, and Anchor's for malformed calls.

Sources: the programs' error tables (``venues``), and ``lang/src/error.rs`` of Anchor 0.29.
"""

from typing import NoReturn

from drift_engine.localnet.program import ProgramError
from drift_engine.venues.velocity.errors import ERRORS

_ANCHOR = {
    "InstructionFallbackNotFound": 101,
    "InstructionDidNotDeserialize": 102,
    "ConstraintMut": 2000,
    "ConstraintHasOne": 2001,
    "ConstraintRaw": 2003,
    "ConstraintSeeds": 2006,
    "ConstraintAddress": 2012,
    "ConstraintTokenOwner": 2015,
    "AccountDiscriminatorNotFound": 3001,
    "AccountDiscriminatorMismatch": 3002,
    "AccountNotEnoughKeys": 3005,
    "AccountOwnedByWrongProgram": 3007,
    "InvalidProgramId": 3008,
    "AccountNotSigner": 3010,
    "AccountNotInitialized": 3012,
}
NUMBERS: dict[str, int] = _ANCHOR | {name: number for number, name in ERRORS.items()}
"""Errors by name. Velocity's table is Drift v2's, with what Velocity added behind it."""


def refusal(name: str, text: str = "", *, account: str = "") -> ProgramError:
    """Return an error by its name; ``account`` is the one at fault, where Anchor names it."""
    return ProgramError(NUMBERS[name], name, text or name, account=account)


def refuse(name: str, text: str = "", *, account: str = "") -> NoReturn:
    """Refuse the instruction by an error's name."""
    raise refusal(name, text, account=account)


def require(condition: object, name: str, text: str = "", *, account: str = "") -> None:
    """Refuse unless the condition holds (the program's ``validate!``)."""
    if not condition:
        raise refusal(name, text, account=account)

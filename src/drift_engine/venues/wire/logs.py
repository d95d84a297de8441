"""A transaction's log in, what the venue's program said out: its events, its error, and whether the log was cut.

Whose a line is follows from the stack: ``Program X invoke [n]`` enters a program at depth n, ``Program X success`` and
``Program X failed: …`` leave it. Events come as ``Program data:`` (Anchor's ``emit!``) and, for those that the program
writes itself to save memory (``emit_stack``: orders, fills, revenue), as bare base64 after ``Program log:``. Only lines
of our own programs count: another program may log the same bytes. What a node cut off after ``Log truncated`` is said
to be missing.
"""

import re
from binascii import Error as NoBase64
from binascii import a2b_base64
from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct
from solders.pubkey import Pubkey

from drift_engine.venues.program import Program
from drift_engine.venues.programs import PROGRAMS
from drift_engine.venues.wire.events.decoding import UnknownEvent
from drift_engine.venues.wire.events.kinds import Event

_INVOKE = re.compile(r"Program (\w{32,44}) invoke \[(\d{1,3})\]")
_LEFT = re.compile(r"Program (\w{32,44}) (success|failed: (.*))", re.DOTALL)
_CUSTOM = re.compile(r"custom program error: 0x([0-9a-fA-F]{1,8})")
_ANCHOR = re.compile(
    r"AnchorError .{0,400}?Error Code: (\w{1,100})\. Error Number: (\d{1,10})\. Error Message: (.*)", re.DOTALL
)
_ANCHOR_ERROR = "AnchorError "
_DATA, _LOG = "Program data: ", "Program log: "
_TRUNCATED = "Log truncated"
_BY_TEXT = {str(program.program_id): program for program in PROGRAMS.values()}


class Logged(Struct, frozen=True):
    """An event, by which protocol, and in which line of the log."""

    program: str
    line: int
    event: Event | UnknownEvent


class ProgramError(Struct, frozen=True):
    """Why a transaction failed. ``program`` is the protocol, or the address of another program.

    ``name`` is what the program logged, else what its table says, else ``Custom<code>``.
    """

    program: str
    code: int
    name: str
    message: str = ""


class ParsedLog(Struct, frozen=True):
    """What a log says. Where it was ``truncated``, events and the error may be missing."""

    events: tuple[Logged, ...]
    error: ProgramError | None
    truncated: bool


class Line(Struct, frozen=True):
    """A line, with the program that was running: the stack from the outermost to it."""

    number: int
    text: str
    stack: tuple[str, ...]

    @property
    def program(self) -> Program | None:
        """The protocol whose line it is, if it is one of ours."""
        return _BY_TEXT.get(self.stack[-1]) if self.stack else None


def parse(lines: Sequence[str]) -> ParsedLog:
    """Return what our programs say in a transaction's log."""
    attributed = list(attribute(lines))
    return ParsedLog(tuple(_events(attributed)), _error(attributed), _TRUNCATED in lines)


def attribute(lines: Iterable[str]) -> Iterator[Line]:
    """Yield each line with the stack it belongs to; the lines that enter and leave belong to what they name."""
    stack: tuple[str, ...] = ()
    for number, text in enumerate(lines):
        if entered := _INVOKE.fullmatch(text):
            depth = int(entered[2])
            stack = (*stack[: max(0, depth - 1)], entered[1])
        yield Line(number, text, stack)
        if (left := _LEFT.fullmatch(text)) and stack and left[1] == stack[-1]:
            stack = stack[:-1]


def error_of(reported: object, programs: Sequence[Pubkey]) -> ProgramError | None:
    """Return a transaction's error as a node reports it (``meta.err``); ``programs`` are its instructions' programs.

    An error that is no program's own number keeps its words, with the code -1. ``None`` is success.
    """
    if reported is None:
        return None
    match reported:
        case {"InstructionError": [int(index), {"Custom": int(code)}]} if 0 <= index < len(programs):
            running = str(programs[index])
            return ProgramError(_title(running), code, name_of(_BY_TEXT.get(running), code), f"instruction {index}")
        case {"InstructionError": [int(index), reason]} if 0 <= index < len(programs):
            return ProgramError(_title(str(programs[index])), -1, str(reason), f"instruction {index}")
    return ProgramError("", -1, str(reported))


def name_of(program: Program | None, code: int) -> str:
    """Return an error's name by its number; Anchor's own and unknown ones are ``Custom<code>``."""
    return (program.errors if program else {}).get(code, f"Custom{code}")


def _events(lines: Iterable[Line]) -> Iterator[Logged]:
    for line in lines:
        program = line.program
        if program is None:
            continue
        if line.text.startswith(_DATA):
            for part in line.text[len(_DATA) :].split(" "):
                yield Logged(program.name, line.number, _decoded(program, part))
        elif line.text.startswith(_LOG):
            raw = _base64(line.text[len(_LOG) :])
            if raw is not None and raw[:8] in program.events.kinds:
                yield Logged(program.name, line.number, program.events.decode(raw))


def _decoded(program: Program, part: str) -> Event | UnknownEvent:
    raw = _base64(part)
    return UnknownEvent(b"", part.encode(), "no base64") if raw is None else program.events.decode(raw)


def _base64(given: str) -> bytes | None:
    try:
        return a2b_base64(given, strict_mode=True)
    except (NoBase64, ValueError):
        return None


def _error(lines: Sequence[Line]) -> ProgramError | None:
    """Return the innermost failure: the first program that left with an error, named by what it logged before."""
    logged: dict[str, ProgramError] = {}
    for line in lines:
        if not line.stack:
            continue
        running = line.stack[-1]
        if said := _ANCHOR.match(line.text, max(0, line.text.find(_ANCHOR_ERROR))):
            logged[running] = ProgramError(_title(running), int(said[2]), said[1], said[3])
        left = _LEFT.fullmatch(line.text)
        if left and left[2] != "success":
            return _failure(running, left[3], logged.get(running))
    return None


def _failure(running: str, reason: str, logged: ProgramError | None) -> ProgramError | None:
    custom = _CUSTOM.search(reason)
    if custom is None:
        return logged or ProgramError(_title(running), -1, "ProgramFailed", reason)
    code = int(custom[1], 16)
    if logged and logged.code == code:
        return logged
    return ProgramError(_title(running), code, name_of(_BY_TEXT.get(running), code), reason)


def _title(address: str) -> str:
    return _BY_TEXT[address].name if address in _BY_TEXT else address

"""``drift-engine logs``: the last lines an engine printed, and with ``--follow`` what it prints from then on.

A log that is followed is kept open and looked at a few times a second. Where its name came to stand for another file,
or the file got shorter, the rest of the old one is told first, then the new one from its beginning.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from drift_engine.cli import exits
from drift_engine.cli.fleet_options import Engine, state_dir
from drift_engine.cli.options import Json, State

_PAUSE_S = 0.25
Lines = Annotated[int, typer.Option("-n", "--lines", min=1, max=5_000, help="How many.")]
Follow = Annotated[bool, typer.Option("-f", "--follow", help="Go on with what it prints, until Ctrl-C.")]


def logs(engine: Engine, *, n: Lines = 50, follow: Follow = False, state: State = None, as_json: Json = False) -> int:
    """Show the last lines of an engine's log; the file is read, so this needs no manager."""
    from drift_engine.cli.output import print_json
    from drift_engine.control.places import Places, last_lines

    path = Places(state_dir(state), engine).log
    if not path.exists():
        raise exits.FailedError(f"there is no log {path}; {_known(engine, path.parent)}")
    if follow:
        return _follow(path, n, as_json=as_json)
    found = last_lines(path, n)
    if as_json:
        print_json(found)
    else:
        _tell(found)
    return exits.OK


def _follow(path: Path, n: int, *, as_json: bool) -> int:
    """Print the last lines and those that come; as JSON each is a string on a line of its own."""
    coming = whole_lines(path)
    try:
        _tell(next(coming)[-n:], as_json=as_json)
        while True:
            _tell(next(coming), as_json=as_json)
    except KeyboardInterrupt:
        return exits.OK


def whole_lines(path: Path) -> Iterator[list[str]]:
    """Yield the lines that a log has, then those that were added, a few times a second, without end."""
    file: BinaryIO = path.open("rb")
    begun = b""
    try:
        while True:
            fresh = _anew(file, path)  # asked first: nothing is added to the old file once there is a new one
            *lines, begun = (begun + file.read()).split(b"\n")
            if fresh is not None:
                file.close()
                file, lines, begun = fresh, [*lines, *([begun] if begun else [])], b""
            yield [line.decode(errors="replace") for line in lines]
            if fresh is None:
                time.sleep(_PAUSE_S)
    finally:
        file.close()


def _anew(file: BinaryIO, path: Path) -> BinaryIO | None:
    """Return the file that stands in another's place or was begun anew, ``None`` where it is the same."""
    try:
        found = path.stat()
        if found.st_ino == os.fstat(file.fileno()).st_ino and found.st_size >= file.tell():
            return None
        return path.open("rb")
    except FileNotFoundError:
        return None


def _tell(lines: list[str], *, as_json: bool = False) -> None:
    import msgspec

    for line in lines:
        print(msgspec.json.encode(line).decode() if as_json else _printable(line), flush=True)


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() or char == "\t" else "\N{REPLACEMENT CHARACTER}" for char in line)


def _known(engine: str, folder: Path) -> str:
    from drift_engine.core.near_names import hint

    names = sorted(path.stem for path in folder.glob("*.log"))
    return hint(engine, names) if names else "there are no logs here"

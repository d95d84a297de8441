"""The logs engines leave in the state directory: their ends, and what is added to them.

A line is text from outside: control characters are taken out, it is cut to a length, and a browser gets it as a JSON
string. A line as our processes write them (``control.scribe``), or JSON with a message, is told apart into time, level,
source and message.
"""

import re
from pathlib import Path
from typing import Any

import msgspec

LINE_CHARS, TAIL_BYTES, KEPT = 2_000, 256 * 1024, 200
_ODD = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_LEVELS = re.compile(r"\b(CRITICAL|ERROR|WARNING|WARN|INFO|DEBUG)\b", re.IGNORECASE)
_OURS = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ([A-Z]+) (?:drift_engine\.)?(\S+) (.*)", re.DOTALL)
_SAME = {"warn": "warning", "fatal": "critical"}


class LogTail:
    """One log file, followed from its end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at: int | None = None
        self._file = 0

    def fresh(self) -> list[dict[str, Any]]:
        """Return the lines that were added since the last call; the first call returns none."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._at = 0
            return []
        if self._at is None or found.st_ino != self._file or found.st_size < self._at:
            first = self._at is None
            self._file, self._at = found.st_ino, found.st_size if first else 0
        if found.st_size == self._at:
            return []
        return self._read(found.st_size)

    def _read(self, size: int) -> list[dict[str, Any]]:
        begin = max(self._at or 0, size - TAIL_BYTES)
        with self.path.open("rb") as file:
            file.seek(begin)
            text = file.read(size - begin)
        whole, newline, _ = text.rpartition(b"\n")
        self._at = begin + len(whole) + len(newline)
        return [parsed(line) for line in whole.split(b"\n")][-KEPT:] if newline else []


def last_lines(path: Path, n: int = KEPT) -> list[dict[str, Any]]:
    """Return the last lines of a log, oldest first; none where there is no log."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return []
    lines = lines[1:] if size > TAIL_BYTES else lines
    return [parsed(line) for line in lines if line.strip()][-n:]


def parsed(line: bytes) -> dict[str, Any]:
    """Return a line as ``{time, level, source, message}``; what it does not say is ``None``."""
    fields = _fields(line)
    if fields is None:
        text = clean(line.decode(errors="replace"))
        ours = _OURS.fullmatch(text)
        if ours is not None:
            return {"time": ours[1], "level": _level(ours[2]), "source": ours[3], "message": ours[4]}
        level = _LEVELS.search(text)
        return {"time": None, "level": _level(level[1] if level else "info"), "source": None, "message": text}
    message = fields.pop("event", None) or fields.pop("message", None) or ""
    return {
        "time": _text(fields.get("timestamp") or fields.get("time")),
        "level": _level(str(fields.get("level") or "info")),
        "source": _text(fields.get("logger") or fields.get("source")),
        "message": clean(str(message)),
    }


def clean(text: str) -> str:
    """Return text without control characters, cut to a length."""
    text = _ODD.sub("", text)
    return text if len(text) <= LINE_CHARS else f"{text[:LINE_CHARS]}…"


def _fields(line: bytes) -> dict[str, Any] | None:
    if not line.startswith(b"{"):
        return None
    try:
        found = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return None
    return found if isinstance(found, dict) and ("event" in found or "message" in found) else None


def _level(name: str) -> str:
    return _SAME.get(name.lower(), name.lower())


def _text(value: object) -> str | None:
    return None if value is None else clean(str(value))

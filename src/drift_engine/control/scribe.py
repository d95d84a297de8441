"""Where a process's log lines go: to stderr, by a thread of its own, so that a line never holds up a tick.

Whoever logs puts a record into a bounded queue and goes on. Where stderr does not take lines fast enough the newest are
left out, and how many is written once it does. A record whose message cannot be made is told of in its place. A line is
``TIME LEVEL SOURCE MESSAGE``, the time in UTC. The file is written to past Python's own buffers, whose locks a thread
that is stuck would take into the end of the process.
"""

import logging
import os
import queue
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

OURS = "drift_engine"
KEPT = 1_000
_END_S = 1.0


class Scribe(logging.Handler):
    """Hands records to a thread that writes them to a file. ``lost`` counts those it could not take."""

    def __init__(self, file: int, kept: int = KEPT) -> None:
        super().__init__()
        self.lost = 0
        self._file, self._lines = file, _lines()
        self._queue: queue.Queue[logging.LogRecord | None] = queue.Queue(kept)
        self._thread = Thread(target=self._write, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record; it is left out where the queue is full."""
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            self.lost += 1

    def close(self) -> None:
        """Write what waits, but do not wait long for it."""
        try:
            self._queue.put_nowait(None)
        except queue.Full:
            self.lost += 1
        else:
            self._thread.join(_END_S)
        super().close()

    def _write(self) -> None:
        told = 0
        while (record := self._queue.get()) is not None:
            self._put(record)
            if self.lost > told:
                told, more = self.lost, self.lost - told
                self._put(logging.makeLogRecord(_left_out(more)))

    def _put(self, record: logging.LogRecord) -> None:
        data = f"{self._line_of(record)}\n".encode(errors="backslashreplace")
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError:
            self.lost += 1

    def _line_of(self, record: logging.LogRecord) -> str:
        try:
            return self._lines.format(record)
        except Exception as reason:  # noqa: BLE001 - whatever an argument's own words raise may not end the thread
            return self._lines.format(logging.makeLogRecord(_unworded(record, reason)))


@contextmanager
def writing() -> Iterator[None]:
    """Write our log lines to stderr while the context lasts; of others' libraries only warnings and worse."""
    scribe, root, ours = Scribe(sys.stderr.fileno()), logging.getLogger(), logging.getLogger(OURS)
    level = ours.level
    root.addHandler(scribe)
    ours.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(scribe)
        ours.setLevel(level)
        scribe.close()


def _lines() -> logging.Formatter:
    lines = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    lines.converter = time.gmtime
    return lines


def _left_out(count: int) -> dict[str, object]:
    return _warning(f"{OURS}.log", f"{count} lines were left out: stderr did not take them")


def _unworded(record: logging.LogRecord, reason: Exception) -> dict[str, object]:
    place = f"{record.pathname}:{record.lineno}"
    return _warning(record.name, f"a line could not be written: {type(reason).__name__} in the message of {place}")


def _warning(source: str, text: str) -> dict[str, object]:
    return {"name": source, "levelno": logging.WARNING, "levelname": "WARNING", "msg": text}

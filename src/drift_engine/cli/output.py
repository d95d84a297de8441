"""Where output goes: answers to stdout, everything else to stderr; JSON is one document and nothing else."""

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def print_json(document: object) -> None:
    """Print one JSON document on stdout."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(document, enc_hook=str), indent=2)
    sys.stdout.write(text.decode() + "\n")
    sys.stdout.flush()


def is_live(console: "Console") -> bool:
    """Whether a view can be redrawn in place."""
    return console.is_terminal and not console.is_dumb_terminal


def out() -> "Console":
    """Return the console of stdout."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def err() -> "Console":
    """Return the console of stderr."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def tell(lines: Iterable[str]) -> None:
    """Print lines, each flushed; a terminal breaks them between words, a file gets them as they are."""
    from rich.text import Text

    console = out()
    for line in lines:
        if is_live(console):
            console.print(Text(line))
        else:
            print(line, flush=True)


def pairs(rows: Iterable[tuple[str, "str | Text"]], width: int = 0) -> Any:
    """Return a grid of names and texts, the names dim."""
    from rich.table import Table

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True, min_width=width or None)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(name, text)
    return grid

"""Parts one under the other, as many as a screen has rows for: those that can be spared go first, and are named."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from drift_engine.cli.figures import NARROW

Lines = list[list[Segment]]


class Spare:
    """A part that is left out where rows are short, the one of the highest ``rank`` first."""

    def __init__(self, rank: int, name: str, part: RenderableType) -> None:
        self.rank, self.name, self._part = rank, name, part

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        yield self._part


class Beside:
    """Two parts next to each other; one above the other on a screen too narrow for both."""

    def __init__(self, left: RenderableType, right: RenderableType) -> None:
        self.parts = left, right

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw them."""
        if options.max_width < NARROW:
            yield from self.parts
            return
        grid = Table.grid(expand=True, padding=(0, 2, 0, 0))
        grid.add_column(ratio=1)
        grid.add_column(ratio=1)
        grid.add_row(*self.parts)
        yield grid


class Fitted:
    """Parts under each other, in ``rows`` if that is possible; all of them where ``rows`` is ``None``."""

    def __init__(self, parts: Sequence[RenderableType], rows: int | None = None) -> None:
        self._parts, self._rows = parts, rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw what there is room for."""
        free = options.reset_height()
        drawn = [(part, console.render_lines(part, free, pad=False)) for part in self._each(options.max_width)]
        left_out: list[str] = []
        while self._rows is not None and _rows(drawn) + bool(left_out) > self._rows:
            spares = [part for part, _ in drawn if isinstance(part, Spare)]
            spare = max(spares, key=lambda part: part.rank, default=None)
            if spare is None:
                break
            left_out.append(spare.name)
            drawn = [(part, lines) for part, lines in drawn if part is not spare]
        for _, lines in drawn:
            for line in lines:
                yield from line
                yield Segment.line()
        if left_out:
            yield Text(f"no room for {', '.join(left_out)}", style="dim", no_wrap=True, overflow="ellipsis")

    def _each(self, width: int) -> Iterator[RenderableType]:
        for part in self._parts:
            if isinstance(part, Beside) and width < NARROW:
                yield from part.parts
            else:
                yield part


def _rows(drawn: list[tuple[RenderableType, Lines]]) -> int:
    return sum(len(lines) for _, lines in drawn)

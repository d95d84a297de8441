"""``make bench``: runs every ``bench_*.py`` beside this file, prints one table.

Each has ``main() -> list[Result]``. Exit code 1 when one of them broke; with ``--strict`` also when a limit was passed.
"""

import argparse
import importlib
import json
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path

from benchmarks.measure import Result


def main(argv: list[str] | None = None) -> int:
    """Run what was asked for and return the exit code."""
    parser = argparse.ArgumentParser(prog="benchmarks.run", description="Measure CPU time, beside peers.")
    parser.add_argument("names", nargs="*", help="benchmarks to run, as 'import' or 'peers'; all by default")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    parser.add_argument("--strict", action="store_true", help="exit 1 when a limit was passed")
    asked = parser.parse_args(argv)
    known = sorted(path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py"))
    if unknown := set(asked.names) - set(known):
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}; known are {', '.join(known)}")
    results, broken = _gather(asked.names or known)
    sys.stdout.write(table(results))
    if asked.json:
        asked.json.write_text(
            json.dumps([asdict(result) | {"verdict": result.verdict} for result in results], indent=1)
        )
    passed = [result for result in results if result.verdict == "over"]
    return 1 if broken or (asked.strict and passed) else 0


def table(results: list[Result]) -> str:
    """Return the results as text: a heading a group, a line a result."""
    machine = (
        f"{platform.python_implementation()} {platform.python_version()}, {platform.system()} {platform.machine()}"
    )
    lines = [f"CPU time, medians; {machine}"]
    for group in dict.fromkeys(result.group for result in results):
        lines += ["", group]
        lines += [_line(result) for result in results if result.group == group]
    return "\n".join(lines) + "\n"


def _line(result: Result) -> str:
    figure = "absent" if result.value is None else f"{result.value:,.3f}"
    limit = "" if result.limit is None else f"limit {result.limit:g}"
    verdict = "OVER" if result.verdict == "over" else result.verdict.replace("absent", "")
    return f"  {result.name:<44} {figure:>12} {result.unit:<9} {limit:<12} {verdict:<5} {result.note}".rstrip()


def _gather(names: list[str]) -> tuple[list[Result], bool]:
    results: list[Result] = []
    broken = False
    for name in names:
        began = time.monotonic()
        try:
            results += importlib.import_module(f"benchmarks.bench_{name}").main()
        except Exception as error:  # noqa: BLE001 one broken benchmark is a line of the table, and exit code 1
            broken = True
            results.append(Result("broken", name, None, "", note=f"{type(error).__name__}: {error}"[:200]))
        sys.stderr.write(f"{name}: {time.monotonic() - began:.1f} s\n")
    return results, broken


if __name__ == "__main__":
    sys.exit(main())

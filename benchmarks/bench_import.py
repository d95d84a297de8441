"""What ``import drift_engine`` and the engine itself cost a fresh interpreter: CPU time and memory.

The interpreter's own start is measured in the same way and taken off.
"""

import json
import subprocess
import sys

from benchmarks.measure import Result, median

GROUP = "import, cold process"
ROUNDS = 7
LIMIT_MS = 80.0

_PROBE = """
import sys, time
start = time.process_time_ns()
{statement}
spent = time.process_time_ns() - start
import json, resource
if sys.platform == "linux":  # what getrusage tells there counts the parent, from before the exec
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) * 1024
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([spent, peak]))
"""


def main() -> list[Result]:
    """Return time and memory of the package, and of the engine with a strategy."""
    bare = probe("pass")
    if bare is None:
        raise RuntimeError("a fresh interpreter cannot run the probe")
    bare_ns, bare_bytes = bare
    results = []
    for name, statement, limit in (
        ("import drift_engine", "import drift_engine", LIMIT_MS),
        ("DriftEngine and a strategy", "from drift_engine import DriftEngine, DeltaNeutralStrategy", None),
    ):
        figures = probe(statement)
        if figures is None:
            results.append(Result(GROUP, name, None, "ms", limit, "cannot be imported"))
            continue
        spent_ns, used_bytes = figures
        results.append(Result(GROUP, name, (spent_ns - bare_ns) / 1e6, "ms", limit))
        results.append(Result(GROUP, f"{name}: memory", (used_bytes - bare_bytes) / 2**20, "MiB"))
    return results


def probe(statement: str) -> tuple[float, float] | None:
    """Return median CPU nanoseconds and peak bytes of a statement in fresh interpreters, ``None`` where it fails."""
    found = []
    for _ in range(ROUNDS):
        command = [sys.executable, "-c", _PROBE.format(statement=statement)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return None
        found.append(json.loads(done.stdout))
    return median([spent for spent, _ in found]), median([used for _, used in found])

"""Every figure on the page is the one that ``drift-engine status ENGINE --json`` prints of the same seq.

The command is the real one. The page is read whole each time it shows another seq, so that a moment of equal seq is
found also while an engine runs.
"""

import json
import re
import subprocess
import sys
import time
from functools import partial
from typing import Any

import pytest
import spoken
from center import Center, Sight

WATCH = r"""
const t = (s, root = document) => (root.querySelector(s)?.innerText ?? "").trim().replace(/\s+/g, " ");
const own = (s) => [...document.querySelectorAll(s)];
const pairs = (list, name, value) => Object.fromEntries(list.map((n) => [name(n), value(n)]));
const f = (id, name) => t(`#${id} [data-f=${name}]`);
window.readPage = () => {
  const panels = own("#top, .panel[data-seq]");
  return {
    engine: document.querySelector("#top").dataset.engine,
    seqs: [...new Set(panels.map((n) => n.dataset.seq))],
    panels: panels.map((n) => n.id),
    header: pairs(["seq", "status", "mode", "trading"], (n) => n, (n) => f("top", n)),
    clock: f("top", "clock"),
    health: { figure: t("#gauge .figure"), ...pairs(["collateral", "free", "initial", "maintenance", "equity",
      "drawdown"], (n) => n, (n) => f("p-health", n)) },
    leverage: f("p-leverage", "value"),
    summed: f("p-positions", "sum"),
    rows: pairs(own("#p-positions tr[data-market]"), (n) => `${n.dataset.market} ${t(".kind", n)}`, (n) => ({
      side: t(".side b", n),
      ...pairs([...n.children].filter((c) => c.dataset.c && c.dataset.c !== "market"), (c) => c.dataset.c,
        (c) => t("b", c) || c.innerText.trim()) })),
    ledger: pairs(own("#p-ledger [data-cause]"), (n) => n.dataset.cause, (n) => n.lastChild.innerText),
    check: f("p-ledger", "check"),
    metrics: pairs(own("#p-strategy .tile"), (n) => t(".name", n), (n) => t("b", n)),
    bias: t("#p-strategy .bias"),
    tree: own("#p-strategy .tree .line").map((n) => [n.firstChild.innerText, n.lastChild.innerText]),
    control: pairs(own("#p-control .facts > div"), (n) => t("dt", n), (n) => t("dd", n)),
    charts: pairs(own(".chart[data-seq]"), (n) => n.id.slice(6), (n) => [n.dataset.seq, t(".last", n)]),
  };
};
window.pages = new Map();
clearInterval(window.reader);
window.reader = setInterval(() => {
  const seen = window.readPage();
  window.pages.set(`${seen.engine}/${seen.header.seq}`, seen);
}, 50);
"""


def told(center: Center, engine: str) -> dict[str, Any]:
    """Run the command."""
    command = (sys.executable, "-m", "drift_engine", "status", engine, "--json", "--state", str(center.state))
    ran = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def at_one_seq(sight: Sight, center: Center, engine: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the page and the status of one seq."""
    sight.js(WATCH)
    for _ in range(30):
        status = told(center, engine)
        time.sleep(0.3)
        seen = sight.js("return window.pages.get(arguments[0]) ?? null", f"{engine}/{status['seq']}")
        if seen is not None and status["margin"]["status"] != "unknown":
            return seen, status
    raise AssertionError("the page and the command were never at one seq")


def drawn_at(sight: Sight, chart: str, seq: int) -> bool:
    return sight.attribute(f"#chart-{chart}", "data-seq") == str(seq)


def compare(seen: dict[str, Any], status: dict[str, Any]) -> None:
    """Compare the panels of a status, figure by figure."""
    assert seen["engine"] == status["engine"]
    assert seen["seqs"] == [str(status["seq"])], "every panel is of the same seq"
    assert len(seen["panels"]) == 9
    assert seen["header"] == spoken.header(status)
    assert seen["health"] == spoken.health(status)
    assert seen["leverage"] == spoken.leverage(status)
    assert seen["rows"] == spoken.rows(status)
    assert seen["summed"] == spoken.summed(status)
    assert seen["ledger"] == spoken.ledger(status)
    assert "= change in equity, exactly" in seen["check"]
    wanted = spoken.metrics(status)
    assert seen["metrics"].items() <= wanted.items()
    assert {"ticks", "fills", "refusals", "tick p99"} <= set(seen["metrics"])
    assert seen["control"] == spoken.control(status)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", seen["clock"])


@pytest.mark.parametrize("engine", ["neutral", "hold", "tomorrow"])
def test_a_running_engines_figures_are_those_of_the_command(sight: Sight, center: Center, engine: str) -> None:
    sight.open(engine)
    if engine != "tomorrow":
        center.until(lambda: center.status(engine)["tally"]["trades"])
    seen, status = at_one_seq(sight, center, engine)
    compare(seen, status)
    if engine == "hold":
        assert status["positions"][0]["liquidation_price_e6"] > 40_000_000, "a price to compare"


def test_the_strategys_own_figures_are_those_of_the_command(sight: Sight, center: Center) -> None:
    sight.open("neutral")
    center.until(lambda: center.status("neutral")["tally"]["trades"] >= 2)
    seen, status = at_one_seq(sight, center, "neutral")
    shown = dict(seen["tree"])
    own = status["strategy_status"]
    (delta,) = [part for part in own.values() if isinstance(part, dict) and "net_delta_e9" in part] or [own]
    assert shown["net delta"] == spoken.amount(delta["net_delta_e9"])
    assert shown["hedge"] == spoken.amount(delta["hedge_e9"])
    drift = spoken.percent(delta["net_delta_e9"] / delta["hedge_e9"], 2, sign=True)
    assert re.fullmatch(rf"NEUTRAL drift {re.escape(drift)} funding in \d+ m", seen["bias"])


def test_a_stopped_engines_figures_and_charts_are_those_of_the_command(sight: Sight, center: Center) -> None:
    sight.open("hold")
    sight.unlock()
    sight.click("#p-control [data-do=stop]")
    sight.confirm()
    sight.until(lambda: sight.text("#pills [data-f=status]") == "STOPPED")
    status = told(center, "hold")
    assert status["status"] == "STOPPED"
    drawn = ("equity", "health", "price", "funding", "basis", "delta")
    for name in drawn:
        sight.js("document.getElementById(arguments[0]).scrollIntoView({block: 'center'})", f"chart-{name}")
        sight.until(partial(drawn_at, sight, name, status["seq"]))
    seen, status = at_one_seq(sight, center, "hold")
    compare(seen, status)
    charts = {name: found[1] for name, found in seen["charts"].items()}
    assert {found[0] for found in seen["charts"].values()} == {str(status["seq"])}
    assert charts == spoken.charts(status)
    sight.click("#p-control [data-do=start]")
    sight.until(lambda: sight.text("#pills [data-f=status]") == "RUNNING")
    sight.js("clearInterval(window.reader); window.pages.clear()")

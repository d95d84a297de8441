"""What the page shows of real engines: it moves, it does not flicker, it invents nothing, it runs no foreign script."""

import os
import signal
import time
from typing import Any

from center import Center, Sight
from selenium.webdriver.common.keys import Keys

STEADY = "#p-health, #p-leverage, #p-ledger, #p-control, #p-accounts, #pills, #engines, #p-positions"


def charts(sight: Sight) -> dict[str, int]:
    """Return how many points each chart has drawn."""
    found: dict[str, int] = sight.js(
        "return Object.fromEntries([...document.querySelectorAll('.js-plotly-plot')].map(p =>"
        "[p.closest('.chart').id, Math.max(...p.data.map(t => t.x.length))]))"
    )
    return found


def test_figures_and_charts_move_within_ten_seconds(sight: Sight) -> None:
    sight.open("neutral")
    seq = sight.text("#top [data-f=seq]")
    sight.until(lambda: sight.text("#top [data-f=seq]") != seq, 10)
    sight.until(lambda: sight.shows("#p-positions tbody", "SOL-PERP") and sight.shows("#gauge .figure", "%"), 10)
    sight.until(lambda: charts(sight).get("chart-equity", 0) > 1, 10)
    drawn = charts(sight)["chart-equity"]
    sight.until(lambda: charts(sight)["chart-equity"] > drawn, 10)
    assert sight.text("#gauge .label") == "Safe"
    assert sight.errors() == []


def test_nothing_is_drawn_again_and_nothing_jumps(sight: Sight) -> None:
    sight.open("neutral")
    time.sleep(1.5)
    found: dict[str, Any] = sight.chrome.execute_async_script(
        """
        const done = arguments[1], made = [], seen = {shift: 0, texts: 0};
        const eye = new MutationObserver(rows => rows.forEach(row => {
          if (row.type === 'characterData') seen.texts += 1;
          else if (row.addedNodes[0]?.nodeType === 1) made.push(row.target.outerHTML.slice(0, 90));
        }));
        const all = {childList: true, characterData: true, subtree: true};
        document.querySelectorAll(arguments[0]).forEach(node => eye.observe(node, all));
        const shifted = list => list.getEntries().forEach(e => { seen.shift += e.value });
        new PerformanceObserver(shifted).observe({type: 'layout-shift'});
        setTimeout(() => done({made, ...seen}), 2500);
        """,
        STEADY,
    )
    assert found["made"] == []
    assert found["texts"] > 5, "the figures stood still"
    assert found["shift"] < 0.01


def test_it_is_readable_on_a_desktop_and_on_a_phone_in_both_themes(sight: Sight) -> None:
    for theme in ("dark", "light"):
        sight.open("neutral")
        if sight.attribute("html", "data-theme") != theme:
            sight.click("#theme")
        sight.until(lambda: len(charts(sight)) >= 1)
        for width in (1440, 390):
            sight.resize(width, 900)
            time.sleep(0.3)
            assert sight.js("return document.documentElement.scrollWidth") <= width
            assert sight.shot(f"page-{theme}", width, whole=True).stat().st_size > 20_000
        sight.resize(1440, 1000)
    sight.click("#theme")
    assert sight.attribute("html", "data-theme") == "dark"


def test_the_keyboard_reaches_everything(sight: Sight) -> None:
    sight.open("neutral")
    reached = sight.js(
        "return [...document.querySelectorAll('button:enabled, summary, input:enabled, select:enabled')]"
        ".filter(n => n.checkVisibility() && n.tabIndex < 0 && n.getAttribute('role') !== 'tab').map(n => n.outerHTML)"
    )
    assert reached == []
    nameless = sight.js(
        "return [...document.querySelectorAll('button')].filter(n => !n.textContent.trim() && !n.ariaLabel)"
        ".map(n => n.outerHTML)"
    )
    assert nameless == []
    sight.js("document.querySelector('.tab[aria-selected=true]').focus()")
    sight.chrome.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    sight.until(lambda: sight.text(".tab[aria-selected=true] .name") != "neutral")
    sight.js("document.querySelector('#stop').focus()")
    sight.chrome.switch_to.active_element.send_keys(Keys.ENTER)
    sight.until(lambda: sight.js("return document.querySelector('dialog').open"))
    sight.chrome.switch_to.active_element.send_keys(Keys.ESCAPE)
    sight.until(lambda: not sight.js("return document.querySelector('dialog').open"))


def test_a_strategy_written_after_the_page_appears_and_cannot_run_a_script(sight: Sight) -> None:
    sight.open("tomorrow")
    sight.until(lambda: sight.shows("#p-strategy .tree", "moons seen"))
    sight.click("#p-control .params summary")
    sight.until(lambda: sight.shows("#p-control form", "how long it waits before it would act"))
    assert sight.js("return document.querySelector('#param-patience').value") == "7"
    assert sight.shows("#p-strategy header", "watcher")
    assert sight.shows("#p-strategy .tree", "<img src=x onerror=window.hurt=1>")
    assert sight.shows("#p-strategy .tree", "reach 1.5")
    assert sight.js("return window.hurt ?? null") is None
    with (sight.center.state / "tomorrow.log").open("a") as log:
        log.write("ERROR <script>window.hurt=1</script> in a log line\n")
    sight.until(lambda: sight.shows("#p-log", "<script>window.hurt=1</script> in a log line"))
    assert sight.js("return window.hurt ?? null") is None
    assert sight.js("return document.querySelector('#p-log [data-level=error]') !== null")


def test_an_engine_that_falls_silent_is_stale_and_comes_back(sight: Sight, center: Center) -> None:
    sight.open("neutral")
    pid = center.status("neutral")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        sight.until(lambda: sight.text("#pills [data-f=status]") == "STALE", 8)
        assert sight.shows("#gauge .halt", "STALE for")
        assert sight.attribute("#p-health", "data-stale") == "yes"
        sight.until(lambda: int(sight.text("#top [data-f=age]").split()[0]) > 4)
        sight.shot("stale")
    finally:
        os.kill(pid, signal.SIGCONT)
    sight.until(lambda: sight.text("#pills [data-f=status]") == "RUNNING")
    assert sight.attribute("body", "data-stale") is None


def test_the_page_says_that_its_server_is_gone_and_reconnects(sight: Sight, center: Center) -> None:
    sight.open("neutral")
    engine, page = center.status("neutral")["pid"], int((center.state / "page.pid").read_text().split()[0])
    os.kill(page, signal.SIGKILL)
    sight.until(lambda: sight.attribute("body", "data-conn") in ("lost", "connecting"))
    sight.until(lambda: sight.shows("#strip", "Connection lost") or sight.shows("#conn", "Live"))
    sight.shot("reconnecting")
    sight.until(lambda: sight.text("#conn") == "Live", 25)
    assert center.status("neutral")["pid"] == engine, "the engine noticed"
    seq = sight.text("#top [data-f=seq]")
    sight.until(lambda: sight.text("#top [data-f=seq]") != seq)

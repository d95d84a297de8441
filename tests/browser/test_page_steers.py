"""What the page does: every command of it against real engines, from the first token to STOP."""

import urllib.error
import urllib.request
from typing import Any

import pytest
from center import Center, Sight
from selenium.webdriver.common.keys import Keys


def toast(sight: Sight, words: str) -> None:
    sight.until(lambda: sight.shows("#toasts", words))


def perp(center: Center, name: str) -> dict[str, Any]:
    rows = [row for row in center.status(name)["positions"] if row["kind"] == "perp"]
    return rows[0] if rows else {"base_e9": 0, "unsettled_e6": 0}


def test_commands_are_refused_while_it_is_locked(center: Center) -> None:
    request = urllib.request.Request(  # noqa: S310
        f"{center.url}/api/engines/hold/stop",
        data=b"{}",
        headers={"Content-Type": "application/json", "Origin": center.url},
        method="POST",
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=30)  # noqa: S310
    refused.value.close()
    assert refused.value.code == 401
    assert center.status("hold")["status"] == "RUNNING"


def test_a_wrong_token_is_refused_and_the_right_one_taken(sight: Sight, center: Center) -> None:
    sight.open("hold")
    assert sight.text("#lock") == "Read-only"
    sight.click("#lock")
    sight.type("#token", "not the token")
    sight.click("#unlock")
    sight.until(lambda: sight.shows("dialog .wrong", "not the token"))
    assert sight.attribute("body", "data-locked") == "yes"
    sight.shot("token-refused")
    sight.type("#token", f"{center.token}{Keys.ENTER}")
    sight.until(lambda: sight.attribute("body", "data-locked") == "no")
    sight.open("hold")
    sight.until(lambda: sight.text("#lock") == "Unlocked")


def test_a_position_is_closed_after_a_question(sight: Sight, center: Center) -> None:
    sight.open("hold")
    sight.unlock()
    sight.until(lambda: sight.shows("#p-positions tbody", "SOL-PERP"))
    trades = center.status("hold")["tally"]["trades"]
    sight.click('#p-positions tr[data-market="SOL-PERP"] button')
    sight.until(lambda: sight.shows("dialog", "Close SOL-PERP of hold?"))
    sight.js(  # no, and asked again before the browser has told that the dialog closed
        "document.querySelector(`dialog button[value='']`).click();"
        "document.querySelector('#p-positions tr[data-market=\"SOL-PERP\"] button').click()"
    )
    sight.until(lambda: sight.shows("dialog", "Close SOL-PERP of hold?"))
    assert center.status("hold")["tally"]["trades"] == trades
    sight.confirm()
    toast(sight, "Close SOL-PERP")
    sight.until(lambda: center.status("hold")["tally"]["trades"] > trades)
    sight.until(lambda: sight.shows("#p-log", "sold 1 SOL-PERP"))


def test_pnl_is_settled_where_there_is_something_to_settle(sight: Sight, center: Center) -> None:
    sight.open("neutral")
    sight.unlock()
    sight.until(
        lambda: (
            perp(center, "neutral")["unsettled_e6"]
            and sight.attribute("#p-actions [data-do=settle]", "disabled") is None
        )
    )
    sight.click("#p-actions [data-do=settle]")
    toast(sight, "Settle PnL of neutral")
    sight.until(lambda: sight.shows("#p-log", "settled") or sight.shows("#toasts", "refused"))
    assert not sight.shows("#toasts", "refused"), sight.text("#toasts")


def test_money_is_paid_in_and_out_of_a_paper_account(sight: Sight, center: Center) -> None:
    sight.open("tomorrow")
    sight.unlock()
    center.until(lambda: center.status("tomorrow")["net_deposits_e6"])
    before = int(center.status("tomorrow")["net_deposits_e6"])

    def paid_in(e6: int) -> bool:
        """Whether so much more is paid in, give or take the program's rounding of balances."""
        now: int = center.status("tomorrow")["net_deposits_e6"]
        return bool(abs(now - before - e6) <= 2)

    sight.click("#p-actions [data-do=deposit]")
    sight.until(lambda: sight.shows("dialog", "Deposit into tomorrow"))
    sight.type("#amount", "12.5.0")
    assert sight.js("return document.querySelector('dialog button[value=yes]').disabled")
    sight.type("#amount", "1,250.5")
    sight.confirm()
    sight.until(lambda: paid_in(1_250_500_000))
    sight.click("#p-actions [data-do=withdraw]")
    sight.until(lambda: sight.shows("dialog", "Withdraw from tomorrow"))
    sight.type("#amount", f"250.5{Keys.ENTER}")
    sight.until(lambda: paid_in(10**9))
    assert sight.shows("#p-ledger header", "= change in equity, exactly")
    sight.click("#p-actions [data-do=withdraw]")
    sight.type("#amount", "900000")
    sight.confirm()
    toast(sight, "is more than the")


def test_an_engine_is_stopped_started_and_restarted(sight: Sight, center: Center) -> None:
    sight.open("hold")
    sight.unlock()
    sight.click("#p-control [data-do=stop]")
    sight.confirm()
    sight.until(lambda: sight.text("#pills [data-f=status]") == "STOPPED")
    sight.shot("stopped")
    sight.click("#p-control [data-do=start]")
    sight.until(lambda: sight.text("#pills [data-f=status]") == "RUNNING")
    pid = center.status("hold")["pid"]
    sight.click("#p-control [data-do=restart]")
    sight.confirm()
    sight.until(
        lambda: center.status("hold")["pid"] not in (pid, None) and sight.text("#pills [data-f=status]") == "RUNNING"
    )
    assert center.status("hold")["mode"] == "paper"
    sight.until(lambda: perp(center, "hold")["base_e9"] == 10**9)


def test_parameters_of_a_stopped_engine_are_changed_by_a_form(sight: Sight, center: Center) -> None:
    sight.open("tomorrow")
    sight.unlock()
    if sight.attribute("#p-control .params", "open") is None:
        sight.click("#p-control .params summary")
    sight.until(lambda: sight.attribute("#param-patience", "disabled") is not None)
    sight.click("#p-control [data-do=stop]")
    sight.confirm()
    sight.until(lambda: sight.attribute("#param-patience", "disabled") is None)
    sight.type("#param-patience", "9")
    sight.click("#p-control form [type=submit]")
    toast(sight, "Parameters")
    sight.click("#p-control [data-do=start]")
    sight.until(lambda: center.status("tomorrow")["params"]["patience"]["value"] == "9")


def test_live_asks_for_typed_words_and_is_refused_today(sight: Sight, center: Center) -> None:
    sight.open("hold")
    sight.unlock()
    sight.click("#p-control [data-mode=live]")
    sight.until(lambda: sight.shows("dialog", "LIVE hold"))
    assert sight.js("return document.querySelector('dialog button[value=yes]').disabled")
    sight.type("#typed", "LIVE hold")
    sight.click("dialog button[value=yes]")
    toast(sight, "LIVE hold: refused")
    assert center.status("hold")["mode"] == "paper"
    assert sight.attribute("#p-control [data-mode=paper]", "aria-checked") == "true"


def test_health_unknown_and_health_zero_are_told_apart(sight: Sight, center: Center) -> None:
    sight.open("crash")
    sight.unlock()
    assert sight.text("#gauge .figure") == "—"
    assert sight.text("#gauge .label") == "No data"
    assert sight.attribute("#p-health", "data-state") == "unknown"
    unknown = sight.greyscale("no-data")
    sight.click("#p-control [data-do=start]")
    sight.until(lambda: sight.text("#gauge .figure") == "0 %", 25)
    sight.shot("health-zero")
    assert sight.shows("#gauge .label", "Liquidation risk") or center.status("crash")["margin"]["health"] != 0
    sight.until(lambda: sight.text("#pills [data-f=trading]") == "HALTED", 20)
    sight.until(lambda: sight.shows("#gauge .halt", "HALTED"))
    halted = sight.greyscale("halted")
    assert sight.attribute('.tab[data-engine="crash"]', "data-state") == "halted"
    sight.look_at("neutral")
    sight.until(lambda: sight.text("#gauge .label") == "Safe")
    healthy = sight.greyscale("healthy")
    for one, other in ((unknown, halted), (halted, healthy), (healthy, unknown)):
        assert sum(a != b for a, b in zip(one, other, strict=True)) >= 3, (one, other)


def test_an_alert_is_tried(sight: Sight) -> None:
    sight.open("neutral")
    sight.unlock()
    sight.click("#p-alerts [data-do=test]")
    sight.until(lambda: sight.shows("#p-alerts", "this is a test alert"))


NAMES = ["neutral", "hold", "crash", "tomorrow"]


def test_stop_closes_everything_and_shows_each_step(sight: Sight, center: Center) -> None:
    sight.open("neutral")
    sight.unlock()
    sight.until(lambda: perp(center, "neutral")["base_e9"])
    sight.click("#stop")
    sight.until(lambda: sight.shows("dialog", "STOP: close everything?"))
    held = [row["market"] for row in center.status("neutral")["positions"] if row["kind"] == "perp" and row["base_e9"]]
    assert held
    sight.until(lambda: all(sight.shows('.held [data-engine="neutral"]', name) for name in held))
    assert sight.js("return [...document.querySelectorAll('.held li')].map(row => row.dataset.engine)") == NAMES
    sight.shot("stop-asks", 390)
    sight.shot("stop-asks")
    sight.click("dialog .choice:last-child input")
    sight.until(lambda: sight.text(".held").startswith("neutral"))
    assert not sight.shows(".held", "hold")
    sight.click("dialog .choice:first-of-type input")
    sight.click("#stop-yes")
    sight.until(lambda: sight.shows("dialog .verdict", "Flat in"), 25)
    assert sight.shows('.stoplist [data-engine="neutral"]', "Verified with the venue")
    assert sight.shows('.stoplist [data-engine="neutral"]', "bought")
    sight.shot("stop-flat")
    for name in ("neutral", "hold"):
        status = center.status(name)
        assert (status["trading"], status["latched"], perp(center, name)["base_e9"]) == ("HALTED", True, 0)
    sight.click("dialog .buttons button")
    assert sight.text("#pills [data-f=trading]") == "HALTED"
    assert not any(sight.shows("#p-positions tbody", side) for side in ("LONG", "SHORT", "DEPOSIT", "BORROW"))
    assert sight.errors() == []

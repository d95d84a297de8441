"""Alerts on their way to a person: over real HTTP, to servers of this process."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from drift_engine.alerts import Alert, AlertDesk, AlertSettings
from drift_engine.alerts.delivery import QUEUE, Channel, Courier, Telegram, Webhook, channels, deliver_once
from drift_engine.alerts.settings import TELEGRAM_TOKEN
from drift_engine.cli.main import run
from inbox_server import inbox

QUICK = (0.01, 0.02)


def alert(number: int = 1, message: str = "health is 10.0 %, below 20.0 %", **how: Any) -> Alert:
    return Alert(f"a{number}", "health_critical", "one", how.pop("severity", "CRITICAL"), message, 5, 5, **how)


async def until(check: Any, seconds: float = 20.0) -> None:
    for _ in range(int(seconds / 0.01)):
        if check():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about in time")


async def test_an_alert_reaches_a_webhook_and_a_chat() -> None:
    async with inbox() as there:
        settings = AlertSettings(f"{there.url}/hook/s3cret", "42", "123:abc", there.url)
        async with Courier(channels(settings)).running() as courier:
            courier.take(alert(message="<b>*_[x](y)</b>"))
            await until(lambda: len(there.came) == 2)
        came = dict(there.came)
        assert came["/hook/s3cret"]["severity"] == "CRITICAL"
        assert came["/hook/s3cret"]["text"] == "CRITICAL one: <b>*_[x](y)</b> [health_critical]"
        told = came["/bot123:abc/sendMessage"]
        assert told["chat_id"] == "42"
        assert "parse_mode" not in told, "what an engine says is never read as markup"


async def test_less_than_asked_for_and_over_is_not_sent() -> None:
    async with inbox() as there, Courier([Webhook(there.url)], "CRITICAL").running() as courier:
        courier.take(alert(severity="WARNING"))
        courier.take(alert(active=False))
        courier.take(alert(2))
        await until(lambda: there.came)
        await asyncio.sleep(0.05)
        assert [row["id"] for _, row in there.came] == ["a2"]


async def test_a_send_is_tried_three_times_and_its_secret_stays_ours(caplog: pytest.LogCaptureFixture) -> None:
    async with inbox() as there:
        there.answers = [(500, {}), (503, {}), (502, {}), (500, {})]
        async with Courier([Webhook(f"{there.url}/hook/s3cret")], pauses_s=QUICK).running() as courier:
            courier.take(alert(1))
            courier.take(alert(2))
            await until(lambda: courier.sent["webhook"] == 1)
        assert courier.failed["webhook"] == 1
        assert [row["id"] for _, row in there.came] == ["a1", "a1", "a1", "a2", "a2"]
    assert "127.0.0.1 answered 502" in caplog.text
    assert "s3cret" not in caplog.text


async def test_it_waits_as_long_as_it_is_asked_to() -> None:
    async with inbox() as there:
        there.answers = [(429, {"Retry-After": "1"})]
        loop = asyncio.get_running_loop()
        async with Courier([Telegram("t", "c", there.url)], pauses_s=QUICK).running() as courier:
            began_s = loop.time()
            courier.take(alert())
            await until(lambda: courier.sent["telegram"])
            assert loop.time() - began_s >= 1


async def test_an_address_that_nobody_listens_to_holds_up_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    async with inbox() as there:
        ways: list[Channel] = [Webhook("http://127.0.0.1:9/s3cret"), Telegram("t", "c", there.url)]
        async with Courier(ways, pauses_s=QUICK).running() as courier:
            for number in range(QUEUE + 50):
                courier.take(alert(number))
            await until(lambda: courier.sent["telegram"] == QUEUE)
        assert courier.lost["telegram"] == 50
    assert "s3cret" not in caplog.text


async def test_redirects_are_not_followed() -> None:
    async with inbox() as there, inbox() as elsewhere:
        there.answers = [(307, {"Location": f"{elsewhere.url}/x"})]
        outcome = await deliver_once(AlertSettings(f"{there.url}/hook"), AlertDesk().test(1))
        assert outcome == {"webhook": "127.0.0.1 answered 307"}
        assert elsewhere.came == []


async def test_the_command_sends_a_test_alert(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TELEGRAM_TOKEN, "123:abc")
    async with inbox() as there:
        fleet = tmp_path / "fleet.toml"
        fleet.write_text(f'[alerts]\nwebhook = "{there.url}/hook"\ntelegram_chat = 7\ntelegram_api = "{there.url}"\n')
        assert await asyncio.to_thread(run, ["alerts", "test", "--fleet", str(fleet)]) == 0
        assert capsys.readouterr().out == "webhook: taken\ntelegram: taken\n"
        assert {path for path, _ in there.came} == {"/hook", "/bot123:abc/sendMessage"}
        there.answers = [(403, {})]
        assert await asyncio.to_thread(run, ["alerts", "test", "--fleet", str(fleet)]) == 1
        assert "webhook: 127.0.0.1 answered 403" in capsys.readouterr().out
        fleet.write_text("[alerts]\nwebook = 1\n")
        assert await asyncio.to_thread(run, ["alerts", "test", "--fleet", str(fleet)]) == 2
        assert "did you mean 'webhook'" in capsys.readouterr().err
    assert await asyncio.to_thread(run, ["alerts", "test", "--state", str(tmp_path)]) == 1
    assert "no manager runs here" in capsys.readouterr().err

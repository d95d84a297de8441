"""How an alert reaches a person outside: a webhook, or a Telegram chat. Whoever raises it waits for neither.

Each way has a bounded queue and one sender: when it is full the oldest goes, and is counted. A send is tried three
times, a second apart and then twice as long, or as long as the other end asks for. What is logged of a failure names
the host, never the path, which holds the secret.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol
from urllib.parse import urlsplit

import aiohttp
from msgspec import structs

from drift_engine.alerts.desk import Alert
from drift_engine.alerts.rules import SEVERITIES, Severity
from drift_engine.alerts.settings import AlertSettings
from drift_engine.background import Background

log = logging.getLogger("drift_engine.alerts")
QUEUE = 256
_WITHIN_S, _LONGEST_S, _TEXT = 4.0, 30.0, 3_500
_PAUSES_S = (1.0, 2.0)
_LEVELS = {"CRITICAL": logging.CRITICAL, "WARNING": logging.WARNING, "INFO": logging.INFO}


class DeliveryError(Exception):
    """An alert was not taken. ``pause_s`` is how long the other end wants us to wait, where it says so."""

    def __init__(self, message: str, pause_s: float | None = None) -> None:
        super().__init__(message)
        self.pause_s = pause_s


class Channel(Protocol):
    """A way to a person."""

    name: str

    async def send(self, http: aiohttp.ClientSession, alert: Alert) -> None:
        """Send one alert. Raises ``DeliveryError`` or ``aiohttp.ClientError``."""
        ...


class Webhook:
    """Posts an alert as JSON to an address."""

    name = "webhook"

    def __init__(self, url: str) -> None:
        self._url = url

    async def send(self, http: aiohttp.ClientSession, alert: Alert) -> None:
        """Send one alert."""
        document = {"text": alert.line(), **structs.asdict(alert)}
        await _post(http, self._url, document)


class Telegram:
    """Sends an alert to a chat, as plain text: nothing in it is read as markup."""

    name = "telegram"

    def __init__(self, token: str, chat: str, api: str) -> None:
        self._url, self._chat = f"{api.rstrip('/')}/bot{token}/sendMessage", chat

    async def send(self, http: aiohttp.ClientSession, alert: Alert) -> None:
        """Send one alert."""
        document = {"chat_id": self._chat, "text": alert.line()[:_TEXT], "disable_web_page_preview": True}
        await _post(http, self._url, document)


async def _post(http: aiohttp.ClientSession, url: str, document: dict[str, Any]) -> None:
    host = urlsplit(url).hostname
    try:
        async with http.post(url, json=document, allow_redirects=False) as response:
            if response.status // 100 != 2:
                asked = response.headers.get("retry-after", "")
                raise DeliveryError(f"{host} answered {response.status}", float(asked) if asked.isdigit() else None)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise DeliveryError(f"{host} cannot be reached: {type(error).__name__}") from None


def channels(settings: AlertSettings) -> list[Channel]:
    """Return the ways that are set."""
    found: list[Channel] = []
    if settings.webhook:
        found.append(Webhook(settings.webhook))
    if settings.telegram_chat and settings.telegram_token:
        found.append(Telegram(settings.telegram_token, settings.telegram_chat, settings.telegram_api))
    return found


class Courier:
    """Carries alerts to every channel. ``sent``, ``failed`` and ``lost`` count by channel."""

    def __init__(
        self, ways: Sequence[Channel], least: Severity = "WARNING", pauses_s: Sequence[float] = _PAUSES_S
    ) -> None:
        self._ways, self._least, self._pauses_s = ways, SEVERITIES.index(least), tuple(pauses_s)
        self._queues = {way.name: asyncio.Queue[Alert](QUEUE) for way in ways}
        self.sent = dict.fromkeys(self._queues, 0)
        self.failed = dict.fromkeys(self._queues, 0)
        self.lost = dict.fromkeys(self._queues, 0)

    def take(self, alert: Alert) -> None:
        """Log an alert and queue it for every channel; this never waits. One that is over is only logged."""
        over = not alert.active and alert.rule != "test"
        log.log(_LEVELS[alert.severity], "alert%s: %s", " is over" if over else "", alert.line())
        if over:
            return
        if SEVERITIES.index(alert.severity) < self._least and alert.rule != "test":
            return
        for name, queue in self._queues.items():
            if queue.full():
                queue.get_nowait()
                self.lost[name] += 1
            queue.put_nowait(alert)

    async def try_all(self, alert: Alert) -> dict[str, str]:
        """Send one alert by every way, once, at once, and return what came of each: empty where it was taken."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_WITHIN_S)) as http:
            outcome = await asyncio.gather(*(_tried(http, way, alert) for way in self._ways))
        return dict(zip(self._queues, outcome, strict=True))

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Courier"]:
        """Send what is taken for as long as the context lasts."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_WITHIN_S)) as http:
            work = Background(again_s=_PAUSES_S[0])
            for way in self._ways:
                work.keep(f"alerts by {way.name}", partial(self._carry, http, way))
            try:
                yield self
            finally:
                await work.close()

    async def _carry(self, http: aiohttp.ClientSession, way: Channel) -> None:
        while True:
            alert = await self._queues[way.name].get()
            try:
                await self._try(http, way, alert)
            except DeliveryError as error:
                self.failed[way.name] += 1
                log.error("alert %s was not delivered by %s: %s", alert.id, way.name, error)  # noqa: TRY400
            else:
                self.sent[way.name] += 1

    async def _try(self, http: aiohttp.ClientSession, way: Channel, alert: Alert) -> None:
        for pause_s in (*self._pauses_s, None):
            try:
                await way.send(http, alert)
                return  # noqa: TRY300
            except DeliveryError as error:
                if pause_s is None:
                    raise
                await asyncio.sleep(min(error.pause_s or pause_s, _LONGEST_S))


async def _tried(http: aiohttp.ClientSession, way: Channel, alert: Alert) -> str:
    try:
        await way.send(http, alert)
    except DeliveryError as error:
        return str(error)
    return ""


async def deliver_once(settings: AlertSettings, alert: Alert) -> dict[str, str]:
    """Send one alert by every way that is set and return what came of each: empty where it was taken."""
    return await Courier(channels(settings)).try_all(alert)

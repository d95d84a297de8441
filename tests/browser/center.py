"""The whole thing for browser tests: ``drift-engine serve`` with real engines, and a real Chromium that looks at it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException, WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.keys import Keys

PROJECT = Path(__file__).resolve().parents[2]
SHOTS = PROJECT / ".screenshots"
OWN_STRATEGY = Path(__file__).with_name("strategies_of_tomorrow.py")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--window-size=1440,1000",
)  # fmt: skip
_BREAKERS = ("daily_drawdown", "strategy_drawdown", "account_drawdown")
_OFF = ("emergency_health", "min_health_after", *_BREAKERS)
FLEET = f"""
[engines.neutral]
strategy = "delta_neutral"
scenario = "calm_carry"
speed = 3600
days = 365

[engines.hold]
strategy = "hold"
scenario = "calm_carry"
speed = 3600
days = 365
capital = "100"
sub_account = 1
[engines.hold.limits]
{chr(10).join(f'{name} = "off"' for name in _BREAKERS)}

[engines.crash]
strategy = "hold"
scenario = "flash_crash"
speed = 1200
interval_s = 1800
days = 1
capital = "1000"
sub_account = 2
autostart = false
[engines.crash.params]
target = "60"
[engines.crash.limits]
max_leverage = "50"
max_twap_distance = "off"
{chr(10).join(f'{name} = "off"' for name in _OFF)}

[engines.tomorrow]
strategy = "{OWN_STRATEGY}"
scenario = "calm_carry"
speed = 3600
days = 365
sub_account = 3
"""


def browser_paths() -> tuple[str, str]:
    """Return Chromium and its driver; the test skips where one is absent, and fails where CI is set."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    places = (
        shutil.which("chromedriver"),
        f"{os.environ.get('CHROMEWEBDRIVER', '')}/chromedriver",
        "/usr/lib/chromium/chromedriver",
    )
    driver = next((place for place in places if place and Path(place).is_file()), None)
    if browser is None or driver is None:
        reason = "needs Chromium and chromedriver: run scripts/get-browser, or install them"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return browser, driver


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """Run a Chromium with a profile of its own."""
    browser, driver = browser_paths()
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    chrome.set_script_timeout(15)
    try:
        yield chrome
    finally:
        chrome.quit()


class Center:
    """A running ``drift-engine serve``."""

    def __init__(self, folder: Path) -> None:
        self.state, self.port = folder / "state", _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        fleet = folder / "fleet.toml"
        fleet.write_text(FLEET)
        self._log = folder / "serve.log"
        command = (sys.executable, "-m", "drift_engine", "serve", "--fleet", str(fleet), "--state", str(self.state))
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                (*command, "--port", str(self.port)), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder
            )

    @property
    def token(self) -> str:
        return (self.state / "token").read_text().strip()

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def status(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/api/engines/{name}")
        return found

    def until(self, true: Callable[[], Any], within_s: float = 30.0) -> None:
        began_s = time.monotonic()
        while not _quietly(true):
            assert self.process.poll() is None, self.log()
            assert time.monotonic() - began_s < within_s, self.log()
            time.sleep(0.1)

    def ready(self) -> None:
        """Wait until the engines that start by themselves trade."""
        own = ("neutral", "hold", "tomorrow")
        self.until(lambda: all(self.status(name)["status"] == "RUNNING" for name in own))

    def log(self) -> str:
        return "\n".join(
            f"--- {path.name}\n{path.read_text()[-3000:]}" for path in (self._log, *self.state.glob("*.log"))
        )

    def close(self) -> None:
        """Stop it as a person would; what does not go is killed."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)


def _quietly(true: Callable[[], Any]) -> Any:
    try:
        return true()
    except (OSError, KeyError, ValueError):
        return False


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Sight:
    """What is on the screen, and hands on it."""

    def __init__(self, chrome: webdriver.Chrome, center: Center) -> None:
        self.chrome, self.center = chrome, center

    def open(self, engine: str) -> None:
        """Load the page anew, looking at an engine, and wait for its figures."""
        self.chrome.get("about:blank")
        self.chrome.get(f"{self.center.url}/#{engine}")
        self.until(lambda: self.text(".tab[aria-selected=true] .name") == engine and self.text("#conn") == "Live")

    def look_at(self, engine: str) -> None:
        self.click(f'.tab[data-engine="{engine}"]')
        self.until(lambda: self.text(".tab[aria-selected=true] .name") == engine)

    def js(self, script: str, *arguments: Any) -> Any:
        return self.chrome.execute_script(script, *arguments)

    def text(self, css: str) -> str:
        found = self.js("return document.querySelector(arguments[0])?.innerText ?? ''", css)
        return " ".join(str(found).split())

    def attribute(self, css: str, name: str) -> str | None:
        found: str | None = self.js(
            "return document.querySelector(arguments[0])?.getAttribute(arguments[1]) ?? null", css, name
        )
        return found

    def shows(self, css: str, words: str) -> bool:
        return words in self.text(css)

    def click(self, css: str) -> None:
        def clicked() -> bool:
            button = self.chrome.find_element("css selector", css)
            self.js("arguments[0].scrollIntoView({block: 'center'})", button)
            button.click()
            return True

        self.until(clicked)

    def type(self, css: str, words: str) -> None:
        field = self.chrome.find_element("css selector", css)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(words)

    def confirm(self) -> None:
        """Say yes to the question on the screen."""
        self.until(lambda: self.js("return document.querySelector('dialog').open"))
        self.click("dialog button[value=yes]")

    def unlock(self) -> None:
        if self.attribute("body", "data-locked") == "yes":
            self.click("#lock")
            self.type("#token", self.center.token)
            self.click("#unlock")
            self.until(lambda: self.attribute("body", "data-locked") == "no")

    def until(self, true: Callable[[], Any], within_s: float = 30.0) -> None:
        began_s = time.monotonic()
        while True:
            try:
                if true():
                    return
            except (WebDriverException, StaleElementReferenceException) as error:
                seen = str(error)
            else:
                seen = self.text("body")[:1500]
            if time.monotonic() - began_s > within_s:
                self.shot("failed")
                raise AssertionError(f"it was not shown in time: {seen}\n{self.center.log()}")
            time.sleep(0.1)

    def resize(self, width: int, height: int) -> None:
        shape = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)

    def shot(self, name: str, width: int = 1440, *, whole: bool = False) -> Path:
        """Keep a picture among the artefacts."""
        self.js("scrollTo(0, 0)")
        self.resize(width, 1000 if width > 600 else 844)
        if whole:
            time.sleep(0.2)
            self.resize(width, int(self.js("return document.documentElement.scrollHeight")))
            time.sleep(0.6)
        SHOTS.mkdir(exist_ok=True)
        path = SHOTS / f"{name}-{width}.png"
        self.chrome.save_screenshot(str(path))
        return path

    def greyscale(self, name: str) -> tuple[str, ...]:
        """Keep a picture without colour; return what tells the state there: words, icons, the gauge's line."""
        self.js("document.documentElement.style.filter = 'grayscale(1)'")
        self.shot(f"greyscale-{name}")
        found = self.js(
            "document.documentElement.style.filter = '';"
            "const node = s => document.querySelector(s), look = s => getComputedStyle(node(s));"
            "return [node('#gauge .figure').innerText, node('#gauge .label').innerText,"
            " node('#gauge .label svg').dataset.icon, node('#gauge .halt svg').dataset.icon,"
            " look('.gauge .track').strokeDasharray, look('#p-health').borderTopWidth,"
            " look('#p-health').backgroundImage]"
        )
        return tuple(found)

    def errors(self) -> list[str]:
        """Return what the page's scripts complained of since the last call."""
        rows: list[dict[str, Any]] = self.chrome.get_log("browser")  # type: ignore[no-untyped-call]
        return [row["message"] for row in rows if row["level"] == "SEVERE" and row["source"] != "network"]

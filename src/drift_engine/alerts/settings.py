"""How alerts are set in the fleet file: ``[alerts]`` for where they go, ``[alerts.rules.NAME]`` for when they come.

Addresses that hold a secret are written as ``env:NAME`` and read from the environment; the bot's token comes from
``DRIFT_ENGINE_TELEGRAM_TOKEN`` and from nowhere else.
"""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from drift_engine.alerts.rules import RULES, SEVERITIES, Rule, Severity
from drift_engine.config import ConfigError, known_keys
from drift_engine.core.near_names import hint

TELEGRAM_TOKEN = "DRIFT_ENGINE_TELEGRAM_TOKEN"  # noqa: S105
_TELEGRAM = "https://api.telegram.org"


class AlertSettings(Struct, frozen=True):
    """Where alerts go besides the page and the log, from which severity on, and the rules that are set otherwise."""

    webhook: str | None = None
    telegram_chat: str | None = None
    telegram_token: str | None = None
    telegram_api: str = _TELEGRAM
    least: Severity = "WARNING"
    rules: dict[str, Rule] = {}


_KEYS = ("webhook", "telegram_chat", "telegram_api", "least", "rules")


def settings_from(table: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> AlertSettings:
    """Return the settings of a fleet file's ``[alerts]``. Raises ``ConfigError`` with key and near name."""
    environment = os.environ if environment is None else environment
    known_keys(table, _KEYS, "[alerts]")
    least = table.get("least", "WARNING")
    if least not in SEVERITIES:
        raise ConfigError(f"[alerts] least is {least!r}; it must be one of {', '.join(SEVERITIES)}")
    chat = table.get("telegram_chat")
    token = environment.get(TELEGRAM_TOKEN)
    if chat is not None and not token:
        raise ConfigError(f"[alerts] telegram_chat needs the bot's token in {TELEGRAM_TOKEN}")
    rules = table.get("rules", {})
    if not isinstance(rules, Mapping) or not all(isinstance(row, Mapping) for row in rules.values()):
        raise ConfigError("[alerts.rules.NAME] must be tables, one a rule")
    return AlertSettings(
        webhook=_address(table.get("webhook"), "webhook", environment),
        telegram_chat=None if chat is None else str(chat),
        telegram_token=token,
        telegram_api=_address(table.get("telegram_api"), "telegram_api", environment) or _TELEGRAM,
        least=least,
        rules={name: _rule(name, row) for name, row in rules.items()},
    )


def _rule(name: str, row: Mapping[str, Any]) -> Rule:
    if name not in RULES:
        raise ConfigError(f"[alerts.rules] has no rule {name!r}; {hint(name, RULES)}")
    known_keys(row, Rule.__struct_fields__, f"[alerts.rules.{name}]")
    try:
        return msgspec.convert({**msgspec.structs.asdict(RULES[name][1]), **row}, Rule)
    except msgspec.ValidationError as error:
        raise ConfigError(f"[alerts.rules.{name}]: {error}") from None


def _address(value: Any, key: str, environment: Mapping[str, str]) -> str | None:
    if value is None:
        return None
    text = str(value)
    if text.startswith("env:"):
        name = text.removeprefix("env:")
        if not environment.get(name):
            raise ConfigError(f"[alerts] {key} names the variable {name}, which is not set")
        text = environment[name]
    if urlsplit(text).scheme not in ("http", "https") or not urlsplit(text).netloc:
        raise ConfigError(f"[alerts] {key} is no http or https address")
    return text

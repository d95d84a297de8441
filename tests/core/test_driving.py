"""Coroutines that must not suspend, and the step that may be awaited and never does."""

from __future__ import annotations

import asyncio

import pytest

from drift_engine.core.driving import DONE, drive


async def answer() -> int:
    return 7


async def wait() -> None:
    await asyncio.sleep(0)


def test_a_coroutine_that_does_not_suspend_gives_its_result() -> None:
    assert drive(answer()) == 7


def test_one_that_suspends_is_refused_by_name() -> None:
    with pytest.raises(RuntimeError, match="wait must not await"):
        drive(wait())


async def test_what_is_done_can_be_awaited_again_and_again() -> None:
    for _ in range(2):
        await DONE

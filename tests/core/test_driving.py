"""Coroutines that must not suspend, and the step that may be awaited and never does."""

from __future__ import annotations

import asyncio

import pytest

from drift_engine.core.driving import DONE, Asker, drive


async def answer() -> int:
    return 7


async def wait() -> None:
    await asyncio.sleep(0)


def test_a_coroutine_that_does_not_suspend_gives_its_result() -> None:
    assert drive(answer()) == 7


def test_one_that_suspends_is_refused_by_name() -> None:
    with pytest.raises(RuntimeError, match="wait must not await"):
        drive(wait())


async def twice(number: int) -> int:
    if number < 0:
        raise ValueError(number)
    if number == 0:
        await asyncio.sleep(0)
    return 2 * number


def test_an_asker_gets_each_answer_and_goes_on_after_one_that_failed_or_suspended() -> None:
    asker = Asker(twice)
    assert [asker.ask(number) for number in (1, 2, 3)] == [2, 4, 6]
    for _ in range(2):
        with pytest.raises(ValueError, match="-1"):
            asker.ask(-1)
        with pytest.raises(RuntimeError, match="twice must not await"):
            asker.ask(0)
    assert asker.ask(4) == 8


def test_an_asker_that_nobody_needs_any_more_leaves_nothing_behind() -> None:
    asker = Asker(twice)
    asker.ask(1)
    del asker


async def test_what_is_done_can_be_awaited_again_and_again() -> None:
    for _ in range(2):
        await DONE

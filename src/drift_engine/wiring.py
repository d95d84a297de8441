"""The composition root: a run's description in, everything the engine stands on out.

The one place that knows which venue, market data, executor and journal go together. It may import everything but the
engine and the command line.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drift_engine import __version__
from drift_engine.bus import Bus
from drift_engine.clock import SimClock
from drift_engine.config import ConfigError, RunConfig, for_paper
from drift_engine.core.parameters import Parameters
from drift_engine.core.types import RunStarted
from drift_engine.execution.latency_monitor import LatencyMonitor
from drift_engine.execution.limits import Limits
from drift_engine.execution.mock_executor import MockExecutor
from drift_engine.inbox import Inbox
from drift_engine.journal import Journal

if TYPE_CHECKING:
    from drift_engine.strategies.base import DriftStrategy

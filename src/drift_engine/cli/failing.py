"""A run that ended because its strategy raised: what and where in one line, then the strategy's own frames."""

import traceback
from types import TracebackType

from drift_engine.cli import exits


def tell(error: Exception) -> bool:
    """Tell of a strategy that failed, on stderr; return whether it was one: else the error is a bug of ours."""
    from drift_engine.core.driving import where

    frames = _own(error)
    if frames is None:
        return False
    exits.complain(f"the strategy failed and the run ended: {where(error)}")
    traceback.print_exception(error.with_traceback(frames))
    return True


def _own(error: Exception) -> TracebackType | None:
    """Return the frames from the strategy's first on; ``None`` where the engine raised it for no strategy."""
    from drift_engine.core import driving
    from drift_engine.engine import DriftEngine

    gave_up, ours = DriftEngine._go_on_without.__code__, (DriftEngine.tick.__code__.co_filename, driving.__file__)
    frame = error.__traceback__
    while frame is not None and frame.tb_frame.f_code is not gave_up:
        frame = frame.tb_next
    while frame is not None and frame.tb_frame.f_code.co_filename in ours:
        frame = frame.tb_next
    return frame

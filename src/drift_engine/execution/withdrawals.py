"""Whether money may leave the account: only what is held, and only while health stays high. Pure."""

from drift_engine.core.margin_monitor import margin_of
from drift_engine.core.spot_balance import token_amount
from drift_engine.core.types import EngineState, Margin
from drift_engine.core.units import rescale, show_scaled
from drift_engine.execution.what_if import account_without

MIN_HEALTH_AFTER_E4 = 8_000


def withdrawal_refusal(state: EngineState, margin: Margin | None, amount_e6: int) -> str | None:
    """Return why an amount of the quote asset may not be paid out, ``None`` where it may.

    ``margin`` is that of the last tick. What is not known keeps the money where it is.
    """
    account, quote = state.account, state.markets.get(state.account.quote)
    if quote is None or quote.spec.kind != "spot" or margin is None or margin.status != "known":
        return "the margin is not known now, so neither is what would be left of it"
    tokens = rescale(amount_e6, 6, quote.spec.decimals)
    held = token_amount(account.spot(quote.name).scaled_e9, quote)
    if tokens > held:
        return (
            f"{show_scaled(amount_e6, 6)} {quote.name} is more than the {show_scaled(held, quote.spec.decimals)} held"
        )
    after = margin_of(account_without(account, quote, tokens), state.markets, state.now_ns)
    if after.status != "known" or after.health_e4 is None:
        return "health after it cannot be told"
    if after.maintenance_e6 and after.health_e4 < MIN_HEALTH_AFTER_E4:
        least, left = show_scaled(MIN_HEALTH_AFTER_E4, 2), show_scaled(after.health_e4, 2)
        return f"health would be {left} % after it, under {least} %"
    return None

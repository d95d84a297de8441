// Events of the journal in a reader's words.

import { amount, money, price, words } from "./format.js";

const order = (leg) => `${leg.base_e9 > 0 ? "buy" : "sell"} ${amount(Math.abs(leg.base_e9))} ${leg.market}`;
const why = (event) => (event.reason ? `: ${event.reason}` : "");

const TOLD = {
  Filled: (event) => `${event.base_e9 > 0 ? "bought" : "sold"} ${amount(Math.abs(event.base_e9))} ${event.market} at ${price(Math.abs((event.quote_e6 * 1e9) / event.base_e9))}, fee ${money(event.fee_e6)}`,
  FundingPaid: (event) => `funding ${money(event.payment_e6, true, 4)} on ${event.market}`,
  Submitted: (event) => `sent: ${event.plan.legs.map(order).join(", ")}${event.emergency ? " (emergency)" : ""}`,
  PlanClosed: (event) => `plan ${event.plan_id} ended ${event.status}${why(event)}`,
  StateChanged: (event) => `${event.trading}${why(event)}${event.closing ? `, attempt ${event.closing}` : ""}`,
  PnlSettled: (event) => `settled ${money(event.pnl_e6, true)} of ${event.market}`,
  Liquidated: (event) => `liquidated (${words(event.liquidation)}): ${event.base_e9 ? `${amount(event.base_e9, true)} ` : ""}${event.market || event.asset}`,
  RunStarted: (event) => `run started: ${event.strategy}, ${event.mode}`,
};

/** An event as a line, or "" where it says nothing to a reader. */
export const lineOf = (event) => TOLD[event.type]?.(event) ?? "";

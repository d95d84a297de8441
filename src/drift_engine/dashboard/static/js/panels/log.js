// Panel 13: the last 200 lines, as text. It follows the end unless the reader has scrolled away.

import { at, get } from "../api.js";
import { attr, h, parts, text } from "../dom.js";
import { amount, clock, money, price } from "../format.js";
import { changed, current, push, store } from "../store.js";

const panel = parts("p-log");
const KEPT = 200;
let drawnFor = null;
let last = null;
let number = 0;

export function takeLine(line) {
  push(store.logs, line.engine, { ...line, n: ++number }, KEPT);
}

/** Begin with what the engine has logged, and with the decisions and fills of its journal. */
export async function loadLog(engine, decided, filled) {
  const lines = await get(`${at(engine, "logs")}?n=${KEPT}`);
  const fills = filled.slice(-60).map((fill) => ({ ts_ns: fill.ts_ns, seq: fill.seq, ...bought(fill) }));
  const past = [...fills, ...decided.map((row) => ({ ts_ns: row.ts_ns, seq: row.seq, ...said(row) }))].sort((a, b) => a.seq - b.seq);
  const told = past.map((row) => ({ engine, time: clock(row.ts_ns), level: row.level, source: "journal", message: row.message }));
  store.logs.set(engine, [...told, ...lines].slice(-KEPT).map((line) => ({ ...line, n: ++number })));
  if (drawnFor === engine) drawnFor = null;
  changed();
}

const bought = (fill) => ({ level: "info", message: `${fill.base_e9 > 0 ? "bought" : "sold"} ${amount(Math.abs(fill.base_e9))} ${fill.market} at ${price(fill.price_e6)}, fee ${money(fill.fee_e6)}` });
const said = (row) => ({ level: row.approved ? "info" : "warning", message: `${row.approved ? "approved" : "refused"}: ${row.reason}${row.refusals?.length ? ` (${row.refusals.join("; ")})` : ""}` });

/** A decision of the stream as a line. */
export function takeSaid(row) {
  takeLine({ engine: row.engine, time: clock(row.ts_ns), source: "journal", ...said(row) });
}

const TOLD = {
  Filled: (event) => ["info", bought({ ...event, price_e6: Math.abs((event.quote_e6 * 1e9) / event.base_e9) }).message],
  FundingPaid: (event) => ["info", `funding ${money(event.payment_e6, true, 4)} on ${event.market}`],
  Submitted: (event) => [event.emergency ? "warning" : "info", `sent: ${event.plan.legs.map((leg) => `${leg.base_e9 > 0 ? "buy" : "sell"} ${amount(Math.abs(leg.base_e9))} ${leg.market}`).join(", ")}${event.emergency ? " (emergency)" : ""}`],
  PlanClosed: (event) => [event.status === "filled" ? "info" : "warning", `plan ${event.plan_id} ended ${event.status}${event.reason ? `: ${event.reason}` : ""}`],
  StateChanged: (event) => [event.trading === "ACTIVE" ? "info" : "warning", `${event.trading}${event.reason ? `: ${event.reason}` : ""}`],
  PnlSettled: (event) => ["info", `settled ${money(event.pnl_e6, true)} of ${event.market}`],
  Liquidated: (event) => ["critical", `liquidated: ${amount(event.base_e9, true)} ${event.market}`],
  RunStarted: (event) => ["info", `run started: ${event.strategy}, ${event.mode}`],
};

/** An event of the journal as a line, or null where it says nothing to a reader. */
export function lineOf(event) {
  const tell = TOLD[event.type];
  return tell ? tell(event) : null;
}

export function takeEvent({ engine, event }) {
  const told = lineOf(event);
  if (told) takeLine({ engine, time: clock(event.ts_ns), level: told[0], source: "journal", message: told[1] });
}

export function drawLog() {
  const engine = current()?.status.engine ?? null;
  const lines = store.logs.get(engine) ?? [];
  if (drawnFor !== engine) {
    drawnFor = engine;
    last = null;
    panel.rows.replaceChildren();
  }
  const fresh = last === null ? lines : lines.filter((line) => line.n > last);
  if (fresh.length === 0) return drawEmpty(lines.length === 0 && engine !== null);
  last = fresh.at(-1).n;
  panel.rows.querySelector(".empty")?.remove();
  panel.rows.append(...fresh.map(makeLine));
  while (panel.rows.children.length > KEPT) panel.rows.firstChild.remove();
  if (panel.follow.checked) panel.rows.scrollTop = panel.rows.scrollHeight;
}

function drawEmpty(empty) {
  if (!empty || panel.rows.firstChild) return;
  panel.rows.append(h("li", { class: "empty" }, "Nothing was logged yet"));
}

const shortTime = (time) => String(time).replace(/^.*T(\d\d:\d\d:\d\d).*$/, "$1");

function makeLine(line) {
  const level = (line.level ?? "info").toLowerCase();
  const node = h("li", { "data-level": level }, h("time", { class: "num" }), h("span", { class: "level" }), h("span", { class: "source" }), h("span", { class: "message" }));
  text(node.children[0], line.time ? shortTime(line.time) : "");
  text(node.children[1], level.toUpperCase());
  text(node.children[2], line.source ?? "engine");
  text(node.children[3], line.message ?? "");
  attr(node, "title", line.time ?? null);
  return node;
}

panel.rows.addEventListener("scroll", () => {
  const away = panel.rows.scrollHeight - panel.rows.scrollTop - panel.rows.clientHeight > 24;
  if (away === panel.follow.checked) panel.follow.checked = !away;
}, { passive: true });
panel.follow.addEventListener("change", () => { if (panel.follow.checked) panel.rows.scrollTop = panel.rows.scrollHeight; });

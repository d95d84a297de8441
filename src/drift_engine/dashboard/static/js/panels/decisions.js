// Panel 12: why it traded, and why it did not: signal, plan, every gate with the figures it saw.

import { at, get } from "../api.js";
import { h, icon, keyed, parts, text } from "../dom.js";
import { amount, byName, dayAndTime, money, price } from "../format.js";
import { changed, current, push, store } from "../store.js";

const panel = parts("p-decisions");
const KEPT = 60;
const VERDICT = { pass: "ok", mark: "warn", skip: "dash", refuse: "bad" };
const key = (row) => String(row.seq ?? row.plan_id);

export function takeDecision(row) {
  push(store.decisions, row.engine, row, KEPT);
}

export async function loadDecisions(engine) {
  const rows = await get(`${at(engine, "decisions")}?n=${KEPT}`);
  store.decisions.set(engine, [...rows].reverse());
  changed();
  return rows;
}

export function drawDecisions() {
  const status = current()?.status;
  const all = status ? store.decisions.get(status.engine) : null;
  const seen = new Map((all ?? []).map((row) => [key(row), row]));
  const rows = [...seen.values()].reverse();
  const total = status?.tally?.decisions;
  text(panel.count, rows.length ? `last ${rows.length}${total > rows.length ? ` of ${total}` : ""}` : "");
  if (rows.length === 0) {
    panel.rows.keyedRows = undefined;
    const said = all ? "No decision in the journal yet" : "Loading…";
    if (panel.rows.textContent !== said) panel.rows.replaceChildren(h("li", { class: "empty" }, said));
    return;
  }
  if (!panel.rows.keyedRows) panel.rows.replaceChildren();
  keyed(panel.rows, rows, (row) => `${status.engine}/${key(row)}`, makeRow, () => {});
}

function makeRow(row) {
  const looks = row.emergency ? ["bad", "EMERGENCY", "bad"] : row.approved ? ["ok", "APPROVED", "ok"] : ["halt", "REFUSED", "warn"];
  const body = h("div", { class: "why" });
  const details = h("details", { "data-tone": looks[2] }, h("summary", {}, icon(looks[0]), h("span", { class: "say" }, h("b", {}, looks[1]), h("span", {}, row.reason ?? "")), h("time", { class: "num" }, dayAndTime(row.ts_ns))), body);
  if (row.refusals?.length) details.firstChild.append(h("p", { class: "refusal" }, row.refusals.join("; ")));
  details.addEventListener("toggle", () => { if (details.open && !body.firstChild) body.append(...explain(row)); });
  return h("li", {}, details);
}

function explain(row) {
  const targets = Object.entries(row.signal?.targets ?? {}).map(([market, base]) => `${amount(base, true)} ${market}`);
  const edge = row.plan?.edge_e6;
  const facts = [
    ["Signal", targets.length ? `to hold ${targets.join(", ")}` : "none"],
    ["Edge", edge === null || edge === undefined ? "not claimed" : `${money(edge, true, 4)} before costs`],
    ...(row.plan?.legs ?? []).map((leg, index) => [`Leg ${index + 1}`, `${leg.base_e9 > 0 ? "buy" : "sell"} ${amount(Math.abs(leg.base_e9))} ${leg.market}, limit ${price(leg.limit_e6)}${leg.reduce_only ? ", reduce-only" : ""}`]),
  ];
  return [
    h("dl", { class: "facts" }, ...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", { class: "num" }, value)))),
    h("ul", { class: "gates" }, ...(row.checks ?? []).map(gate)),
  ];
}

function gate(check) {
  const saw = Object.entries(check.figures ?? {}).map(([name, value]) => byName(name, value).join(" ")).join(" · ");
  return h("li", { "data-verdict": check.verdict }, icon(VERDICT[check.verdict] ?? "dash"), h("b", {}, check.gate.replaceAll("_", " ")), h("span", { class: "verdict" }, check.verdict),
    h("p", { class: "num" }, [check.reason, saw].filter(Boolean).join(" — ")));
}

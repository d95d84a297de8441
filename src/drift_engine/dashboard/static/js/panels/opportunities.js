// Panel 4: what funding pays where. Real figures or "n/a".

import { h, icon, keyed, parts, setIcon, signed, text } from "../dom.js";
import { amount, known, percent } from "../format.js";
import { store } from "../store.js";

const panel = parts("p-opportunities");
const or = (value, shown) => (known(value) ? shown(value) : "n/a");
const rate = (places) => (value) => percent(value, places, true);
const PAID = { longs: "Longs are paid", shorts: "Shorts are paid", nobody: "Nobody is paid" };
const key = (row) => [row.market, row.venue, row.scenario].join("/");

export function drawOpportunities() {
  const rows = store.opportunities;
  const said = rows === null ? "Loading…" : rows.length === 0 ? "No market is watched yet" : "";
  text(panel.note, said || `${rows.length} ${rows.length === 1 ? "market" : "markets"}, by APR`);
  const sorted = [...(rows ?? [])].sort((a, b) => (known(b.apr) ? Math.abs(b.apr) : -1) - (known(a.apr) ? Math.abs(a.apr) : -1));
  keyed(panel.cards, sorted.filter((row) => known(row.apr)).slice(0, 3), key, makeCard, fillCard);
  if (sorted.length === 0) return drawEmpty(said);
  if (!panel.rows.keyedRows) panel.rows.replaceChildren();
  keyed(panel.rows, sorted, key, makeRow, fillRow);
}

function drawEmpty(said) {
  if (panel.rows.textContent === said) return;
  panel.rows.keyedRows = undefined;
  panel.rows.replaceChildren(h("tr", { class: "empty" }, h("td", { colspan: "7" }, said)));
}

/** Where a market is: the same name may stand on several venues and simulations. */
const where = (row) => [row.simulated ? "simulated" : row.venue, row.scenario].filter(Boolean).join(", ");

function makeCard() {
  return h("li", { class: "card" }, h("span", { class: "name" }), h("span", { class: "where" }), h("b", { class: "num" }), h("span", { class: "quiet" }, icon("up"), h("span")));
}

function fillCard(node, row) {
  text(node.firstChild, row.market);
  text(node.querySelector(".where"), where(row));
  signed(node.querySelector("b"), row.apr, or(row.apr, rate(1)));
  setIcon(node.querySelector("svg"), row.paid === "longs" ? "up" : row.paid === "shorts" ? "down" : "dash");
  text(node.lastChild.lastChild, PAID[row.paid] ?? "n/a");
}

function makeRow() {
  const labels = ["Market", "1 h", "8 h", "APR", "Paid", "Open interest", "Oracle / mark"];
  return h("tr", {}, ...labels.map((label, index) => h(index ? "td" : "th", { class: index ? "num" : "", "data-label": label, scope: index ? null : "row" })));
}

function fillRow(node, row) {
  const [name, one, eight, apr, paid, interest, spread] = node.children;
  if (!name.firstChild) name.append(h("b"), h("span", { class: "where" }));
  text(name.firstChild, row.market);
  text(name.lastChild, where(row));
  signed(one, row.rate_1h, or(row.rate_1h, rate(4)));
  signed(eight, row.rate_8h, or(row.rate_8h, rate(4)));
  signed(apr, row.apr, or(row.apr, rate(1)));
  text(paid, row.paid ?? "n/a");
  text(interest, or(row.open_interest_e9, amount));
  signed(spread, row.spread, or(row.spread, (value) => `${percent(value * 100, 1, true).replace(" %", " bp")}`));
}

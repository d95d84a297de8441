// Panel 9: whatever a strategy says of itself, drawn by the names and units of its figures. It knows no strategy.

import { attr, h, icon, keyed, parts, setIcon, text } from "../dom.js";
import { byName, metric, percent, words } from "../format.js";
import { current } from "../store.js";

const panel = parts("p-strategy");
const TONES = { ok: "ok", warn: "warn", warning: "warn", critical: "bad", none: "dash" };
const HOUR_NS = 3.6e12;

export function drawStrategy() {
  const status = current()?.status;
  text(panel.name, status ? `${status.strategy}${isAsked(status) ? "" : " · as last asked"}` : "");
  keyed(panel.metrics, notable(status), (row) => row.label, makeTile, fillTile);
  drawBias(status);
  drawTree(status);
}

/** A strategy is asked only while trading may go on; until then it says what it knew last. */
const isAsked = (status) => !status.strategy_status || (status.status === "RUNNING" && status.trading !== "HALTED" && !status.closing && !status.strategy_disabled);

/** The metrics that the tree below does not show anyway, and every one that asks for attention. */
function notable(status) {
  const told = new Set(rowsOf(status?.strategy_status ?? {}).filter((row) => row.name).map((row) => byName(row.name, 0)[0]));
  const seen = new Set();
  return (status?.metrics ?? []).filter((row) => !seen.has(row.label) && seen.add(row.label) && (!told.has(words(row.label)) || !["none", "ok"].includes(row.severity ?? "none")));
}

function makeTile() {
  return h("li", { class: "tile" }, h("span", { class: "name" }), h("span", { class: "value" }, icon("dash"), h("b", { class: "num" })));
}

function fillTile(node, row) {
  text(node.firstChild, words(row.label));
  text(node.querySelector("b"), metric(row.value, row.unit));
  setIcon(node.querySelector("svg"), TONES[row.severity] ?? "dash");
  attr(node, "data-severity", row.severity ?? "none");
}

/** Any part that tells a net delta and its tolerance says which way it leans. */
function leaning(found) {
  if (!found || typeof found !== "object") return null;
  if (typeof found.net_delta_e9 === "number" && typeof found.tolerance_e9 === "number") return found;
  return Object.values(found).map(leaning).find(Boolean) ?? null;
}

function drawBias(status) {
  const found = leaning(status?.strategy_status);
  attr(panel.bias, "hidden", !found);
  if (!found) return;
  if (!panel.bias.firstChild) panel.bias.append(icon("ok"), h("b"), h("span", { class: "num" }), h("span", { class: "num quiet" }));
  const net = found.net_delta_e9;
  const out = Math.abs(net) > found.tolerance_e9;
  setIcon(panel.bias.querySelector("svg"), out ? (net > 0 ? "up" : "down") : "ok");
  text(panel.bias.querySelector("b"), out ? (net > 0 ? "LONG BIAS" : "SHORT BIAS") : "NEUTRAL");
  attr(panel.bias, "data-bias", out ? "out" : "neutral");
  const [, drift, next] = panel.bias.querySelectorAll("b, span");
  text(drift, found.hedge_e9 > 0 ? `drift ${percent(net / found.hedge_e9, 2, true)}` : "no hedge");
  text(next, status.as_of_ns ? `funding in ${Math.ceil((HOUR_NS - (status.as_of_ns % HOUR_NS)) / 6e10)} m` : "");
}

const title = (name) => name.charAt(0).toUpperCase() + name.slice(1);

/** Flatten what a strategy says to rows: a heading for each part, a line for each figure. */
function rowsOf(found, path = "") {
  const simple = [];
  const groups = [];
  for (const [name, value] of Object.entries(found)) {
    const here = path ? `${path}.${name}` : name;
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      groups.push({ key: here, head: title(words(name)) }, ...rowsOf(value, here));
    } else simple.push({ key: here, name, value });
  }
  return [...simple, ...groups];
}

function drawTree(status) {
  const told = status?.strategy_status;
  const rows = told && Object.keys(told).length ? rowsOf(told) : [{ key: "none", head: !status ? "Loading…" : told ? "The strategy says nothing of itself" : "Nothing is known of it yet" }];
  keyed(panel.tree, rows, (row) => row.key, (row) => (row.head ? h("h3", {}, row.head) : h("div", { class: "line" }, h("span"), h("b", { class: "num" }))), (node, row) => {
    if (row.head) return text(node, row.head);
    const [name, shown] = byName(row.name, row.value);
    text(node.firstChild, name);
    text(node.lastChild, shown);
    attr(node, "data-none", row.value === null ? "yes" : null);
  });
}

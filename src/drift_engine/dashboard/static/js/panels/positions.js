// Panel 3: what is held, where it would be liquidated, and the way out. Every close asks first.

import { attr, h, icon, keyed, parts, setIcon, signed, text } from "../dom.js";
import { UNKNOWN, amount, fixed, known, money, percent, price } from "../format.js";
import { confirmed } from "../dialog.js";
import { command } from "../commands.js";
import { at } from "../api.js";
import { isCash, openRows } from "../states.js";
import { current } from "../store.js";

const panel = parts("p-positions");
const closeAll = panel.root.querySelector("[data-do=closeall]");
const COLUMNS = ["market", "size", "entry", "mark", "unrealised", "unsettled", "liquidation", "distance", "funding"];
const LABELS = ["Market", "Size", "Entry", "Mark", "Unrealised", "Unsettled", "Liquidation", "Distance", "Funding / day"];

/** Only an engine that runs can close anything. */
const open = (status) => ["RUNNING", "EMERGENCY", "STALE"].includes(status?.status);

export function drawPositions() {
  const status = current()?.status;
  const rows = openRows(status);
  attr(closeAll, "disabled", !open(status) || !rows.some((row) => row.kind === "perp" && row.base_e9));
  drawSum(rows, status);
  if (rows.length === 0) return drawEmpty(status);
  if (!panel.rows.keyedRows) panel.rows.replaceChildren();
  keyed(panel.rows, rows, (row) => `${status.engine}/${row.kind}/${row.market}`, makeRow, (node, row) => fill(node, row, status));
}

function drawSum(rows, status) {
  const perps = rows.filter((row) => row.kind === "perp");
  const total = perps.every((row) => known(row.unrealised_e6)) ? perps.reduce((sum, row) => sum + row.unrealised_e6, 0) : null;
  const cash = (status?.positions ?? []).filter((row) => isCash(row, status)).map((row) => `${fixed(row.base_e9, 9, 2)} ${row.market}`);
  const net = Object.entries(status?.net_delta_e9 ?? {}).map(([asset, held]) => `${amount(held, true, 4)} ${asset}`);
  const told = [...cash, perps.length ? `unrealised ${money(total, true)}` : "", net.length ? `net delta ${net.join(", ")}` : ""];
  text(panel.sum, told.filter(Boolean).join(" · "));
}

function drawEmpty(status) {
  const said = !status ? "Loading…" : status.positions ? "No open positions" : "Positions are not known";
  if (panel.rows.textContent === said && !panel.rows.keyedRows) return;
  panel.rows.keyedRows = undefined;
  panel.rows.replaceChildren(h("tr", { class: "empty" }, h("td", { colspan: "10" }, said)));
}

function makeRow(row) {
  const cells = COLUMNS.map((name, index) => h(name === "market" ? "th" : "td", {
    class: name === "market" ? "" : "num", "data-c": name, "data-label": LABELS[index], scope: name === "market" ? "row" : null,
  }));
  cells[0].append(h("b"), h("span", { class: "side" }, icon("dash"), h("b"), h("span", { class: "kind" })));
  cells[7].append(h("span", { class: "near" }, h("i"), h("b")));
  const close = h("button", { type: "button", class: "small danger", "aria-label": `Close ${row.market}`, onclick: () => askClose(row.market) }, "Close");
  return h("tr", { "data-market": row.market }, ...cells, h("td", { class: "do" }, row.kind === "spot" ? null : close));
}

function fill(node, row, status) {
  const cell = Object.fromEntries([...node.children].filter((found) => found.dataset.c).map((found) => [found.dataset.c, found]));
  const long = row.base_e9 > 0;
  text(cell.market.firstChild, row.market);
  const side = cell.market.lastChild;
  text(side.lastChild, row.kind);
  const word = row.base_e9 === 0 ? "FLAT" : row.kind === "spot" ? (long ? "DEPOSIT" : "BORROW") : long ? "LONG" : "SHORT";
  const close = node.querySelector("button");
  if (close) {
    attr(close, "hidden", row.base_e9 === 0);
    attr(close, "disabled", !open(status));
  }
  setIcon(side.querySelector("svg"), row.base_e9 === 0 ? "dash" : long ? "up" : "down");
  text(side.querySelector("b"), word);
  attr(side, "data-side", row.base_e9 === 0 ? "flat" : long ? "long" : "short");
  text(cell.size, amount(known(row.base_e9) ? Math.abs(row.base_e9) : null, false, 4));
  attr(cell.size, "title", known(row.base_e9) ? amount(row.base_e9, true, 9) : null);
  text(cell.entry, price(row.entry_e6));
  text(cell.mark, price(row.mark_e6 ?? (row.kind === "spot" ? row.oracle_e6 : null)));
  signed(cell.unrealised, row.unrealised_e6, money(row.unrealised_e6, true));
  signed(cell.unsettled, row.unsettled_e6, money(row.unsettled_e6, true));
  text(cell.liquidation, price(row.liquidation_price_e6));
  distance(cell.distance, row, status);
  signed(cell.funding, row.funding_day_e6, money(row.funding_day_e6, true));
}

/** How far the price may go before liquidation: a bar that empties, and the figure. */
function distance(cell, row) {
  const away = row.liquidation_distance;
  const size = known(away) ? Math.min(1, Math.abs(away)) : null;
  cell.querySelector("i").style.setProperty("--at", size === null ? "0%" : `${(size * 100).toFixed(1)}%`);
  text(cell.querySelector("b"), known(away) ? percent(Math.abs(away), Math.abs(away) < 1 ? 1 : 0) : row.kind === "perp" && row.base_e9 ? "none" : UNKNOWN);
  attr(cell, "data-level", size === null ? "none" : size < 0.1 ? "high" : size < 0.25 ? "mid" : "low");
}

async function askClose(market) {
  const status = current()?.status;
  const row = status?.positions.find((found) => found.market === market && found.kind === "perp");
  if (!row) return;
  const lines = [`${row.base_e9 > 0 ? "Long" : "Short"} ${amount(Math.abs(row.base_e9))} at ${price(row.entry_e6)}, unrealised ${money(row.unrealised_e6, true)}.`,
    "The order only reduces and goes through the gates like any other. The strategy stays on and may open it again."];
  if (await confirmed({ title: `Close ${market} of ${status.engine}?`, lines, yes: "Close position", tone: "danger" })) {
    await command(at(status.engine, "close"), { market }, `Close ${market}`);
  }
}

closeAll.addEventListener("click", async () => {
  const status = current()?.status;
  const rows = (status?.positions ?? []).filter((row) => row.kind === "perp" && row.base_e9);
  if (rows.length === 0) return;
  const lines = [`Closes ${rows.map((row) => row.market).join(", ")}, one order each, reduce-only.`, "The strategy stays on. To close and stay closed, use STOP."];
  if (!(await confirmed({ title: `Close all positions of ${status.engine}?`, lines, yes: "Close all", tone: "danger" }))) return;
  for (const row of rows) await command(at(status.engine, "close"), { market: row.market }, `Close ${row.market}`);
});

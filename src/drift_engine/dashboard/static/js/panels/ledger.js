// Panel 6: where the money came from. The eight causes sum to the change in equity, and the panel checks that they do.

import { attr, h, keyed, parts, signed, text } from "../dom.js";
import { known, money } from "../format.js";
import { current } from "../store.js";

const panel = parts("p-ledger");
const CAUSES = ["price", "basis", "funding", "interest", "fees", "tips", "slippage", "liquidation"];

/** Known causes in their order, then any the page has not heard of. */
function causes(pnl) {
  const told = Object.keys(pnl).filter((name) => name.endsWith("_e6") && name !== "total_e6").map((name) => name.slice(0, -3));
  return [...CAUSES.filter((name) => told.includes(name)), ...told.filter((name) => !CAUSES.includes(name))];
}

export function drawLedger() {
  const status = current()?.status;
  const pnl = status?.pnl;
  const names = pnl ? causes(pnl) : CAUSES;
  const most = Math.max(1, ...names.map((name) => Math.abs(pnl?.[`${name}_e6`] ?? 0)));
  const rows = names.map((name) => ({ name, value: pnl?.[`${name}_e6`] ?? null, size: Math.abs(pnl?.[`${name}_e6`] ?? 0) / most }));
  rows.push({ name: "total", value: pnl?.total_e6 ?? null, size: 0 });
  keyed(panel.rows, rows, (row) => row.name, makeRow, fillRow);
  drawCheck(status, pnl, names);
}

function makeRow(row) {
  return h("li", { "data-cause": row.name }, h("span", {}, row.name), h("i", { class: "bar" }, h("i")), h("b", { class: "num" }));
}

function fillRow(node, row) {
  signed(node.lastChild, row.value, money(row.value, true));
  const bar = node.querySelector(".bar > i");
  bar.style.width = `${(row.size * 50).toFixed(1)}%`;
  attr(bar, "data-sign", row.value > 0 ? "plus" : row.value < 0 ? "minus" : "zero");
}

function drawCheck(status, pnl, names) {
  if (!pnl || !known(pnl.total_e6)) return text(panel.check, status ? "not known" : "");
  const sum = names.reduce((total, name) => total + pnl[`${name}_e6`], 0);
  const net = known(status.equity_e6) && known(status.net_deposits_e6) ? status.equity_e6 - status.net_deposits_e6 : null;
  const off = net === null ? sum - pnl.total_e6 : sum - net;
  const said = net === null ? "sums to the total" : "= change in equity, exactly";
  text(panel.check, off === 0 ? `✓ ${said}` : `✗ differs from the change in equity by ${money(off, true, 6)}`);
  attr(panel.check, "data-off", off === 0 ? null : "yes");
}

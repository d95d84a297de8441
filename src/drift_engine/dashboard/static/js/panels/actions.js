// Panels 7, 8 and 10: settling, sub-accounts, and whose key signs.

import { at } from "../api.js";
import { command } from "../commands.js";
import { attr, h, icon, keyed, parts, text } from "../dom.js";
import { askAmount } from "../dialog.js";
import { UNKNOWN, fixed, money } from "../format.js";
import { isCash } from "../states.js";
import { current, select, store } from "../store.js";

const actions = parts("p-actions");
const accounts = parts("p-accounts");
const button = Object.fromEntries([...actions.root.querySelectorAll("[data-do]")].map((node) => [node.dataset.do, node]));

export function drawActions() {
  const status = current()?.status;
  const perps = (status?.positions ?? []).filter((row) => row.kind === "perp");
  const open = perps.filter((row) => row.unsettled_e6);
  const running = ["RUNNING", "EMERGENCY"].includes(status?.status);
  attr(button.settle, "disabled", open.length === 0 || !running);
  const sum = open.reduce((total, row) => total + row.unsettled_e6, 0);
  const settle = !status ? "Loading…" : open.length === 0 ? "Nothing to settle." : running ? `${money(sum, true)} unsettled in ${open.map((row) => row.market).join(", ")}.` : "The engine is not running.";
  const paper = status?.mode === "paper";
  const why = paper ? "Deposits and withdrawals are play money on paper." : "Deposits and withdrawals are signed by the owner's wallet, outside this engine.";
  text(actions.note, `${settle} ${status ? why : ""}`);
  for (const node of [button.deposit, button.withdraw]) attr(node, "disabled", !paper || !running);
}

button.settle.addEventListener("click", async () => {
  const status = current()?.status;
  if (status) await command(at(status.engine, "settle"), {}, `Settle PnL of ${status.engine}`);
});

const TRANSFERS = {
  deposit: ["Deposit into", "It is paid into the simulated account, and counts as no profit.", "Deposit"],
  withdraw: ["Withdraw from", "It is paid out of the simulated account. It is refused where health would be under 80 % after it.", "Withdraw"],
};

async function transfer(word) {
  const status = current()?.status;
  const cash = (status?.positions ?? []).find((row) => isCash(row, status));
  if (!status) return;
  const [title, line, yes] = TRANSFERS[word];
  const held = cash ? `${fixed(cash.base_e9, 9, 2)} ${cash.market} held.` : "What is held is not known.";
  const figure = await askAmount({ title: `${title} ${status.engine}`, lines: [line, held], label: `Amount in ${cash?.market ?? "the quote asset"}`, yes });
  if (figure) await command(at(status.engine, word), { amount: figure }, `${yes} ${figure} of ${status.engine}`);
}

for (const word of Object.keys(TRANSFERS)) button[word].addEventListener("click", () => transfer(word));

const label = (found) => `Sub-account ${typeof found === "object" && found !== null ? found.id ?? found.sub_account ?? "?" : found}`;
const idOf = (found) => (typeof found === "object" && found !== null ? String(found.id ?? found.sub_account ?? found.name) : String(found));

export function drawAccounts() {
  const status = current()?.status;
  const listed = (status?.sub_accounts ?? []).map((found) => ({ id: idOf(found), label: label(found), engine: engineOf(found, status), own: isOwn(found, status) }));
  const rows = listed.length ? listed : [{ id: "none", label: status ? "No sub-accounts known" : "Loading…", engine: null, own: false }];
  keyed(accounts.accounts, rows, (row) => row.id, () => h("li", {}, icon("dash"), h("b"), h("span", { class: "quiet" }), h("button", { type: "button", class: "small ghost" }, "Show")), fillAccount);
  const signer = status?.signer;
  text(accounts.signer, !status ? UNKNOWN : signerWord(signer));
  text(accounts.key, signer?.address ?? (status ? "none" : UNKNOWN));
  attr(accounts.key, "title", signer?.address ?? null);
}

function fillAccount(node, row) {
  text(node.querySelector("b"), row.label);
  text(node.querySelector(".quiet"), row.own ? `this engine, ${current()?.status.engine}` : row.engine ? `engine ${row.engine}` : "");
  attr(node, "aria-current", row.own ? "true" : null);
  const show = node.querySelector("button");
  attr(show, "hidden", row.own || !row.engine);
  show.onclick = () => select(row.engine);
}

function isOwn(found, status) {
  if (typeof found === "object" && found !== null && "selected" in found) return Boolean(found.selected);
  if (typeof found === "object" && found !== null && "engine" in found) return found.engine === status.engine;
  const own = status.sub_account ?? (status.sub_accounts.length === 1 ? found.id ?? found : null);
  return own !== null && idOf(found) === String(own);
}

function engineOf(found, status) {
  const named = typeof found === "object" && found !== null ? found.engine ?? found.name : null;
  if (named) return store.engines.has(named) ? named : null;
  return isOwn(found, status) ? status.engine : null;
}

function signerWord(signer) {
  const kind = signer?.kind ?? null;
  if (kind === null) return "not known";
  return { paper: "Nobody: paper orders are not signed", none: "Nobody: nothing is signed", delegate: "A delegate, which cannot withdraw", owner: "The owner's own key" }[kind] ?? kind;
}

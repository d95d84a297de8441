// Panel 15: STOP. It asks once, then shows every step as the engines report it, until all is flat or what is left is said.

import { post } from "../api.js";
import { unlock } from "../commands.js";
import { hide, isOpen, no, show } from "../dialog.js";
import { attr, h, icon, keyed, setIcon, text } from "../dom.js";
import { lineOf } from "../events.js";
import { amount } from "../format.js";
import { openRows } from "../states.js";
import { current, isStale, store, watch } from "../store.js";

const STEPS = [["asked", "Asked to stop"], ["reducing", "Only reducing from here"], ["closing", "Orders cancelled, positions closing"], ["end", "Verified with the venue"]];
let run = null;
let held = null;

const left = (status) => openRows(status).filter((row) => row.base_e9);

document.getElementById("stop").addEventListener("click", ask);

async function ask() {
  if (run && !run.over) return open();
  const names = store.order;
  if (names.length === 0) return;
  const chosen = current()?.status.engine;
  const choice = (value, label, checked) => h("label", { class: "choice" }, h("input", { type: "radio", name: "scope", value, checked }), label);
  let scope = "all";
  const body = [
    h("p", {}, "Takes trading to REDUCING, cancels every order, closes every position reduce-only and checks that all is flat. Trading stays halted until you resume it."),
    h("fieldset", {}, h("legend", { class: "sr" }, "Which engines"), choice("all", `All ${names.length} engines`, true), names.length > 1 ? choice("one", `Only ${chosen}`, false) : null),
  ];
  held = { list: h("ul", { class: "held" }), names: () => (scope === "one" ? [chosen] : store.order) };
  body.push(h("h3", {}, "Held now"), held.list);
  drawHeld();
  body[1].addEventListener("change", (event) => { scope = event.target.value; drawHeld(); });
  const yes = h("button", { type: "submit", value: "yes", class: "danger solid", id: "stop-yes", autofocus: true }, icon("stop"), "STOP and close");
  const answer = await show("STOP: close everything?", body, [no(), yes], "danger");
  held = null;
  if (answer !== "yes") return;
  if (!(await unlock("STOP needs the token."))) return;
  await begin(scope === "one" ? [chosen] : [...names]);
}

/** What each engine that would be stopped holds, as the page knows it. */
function drawHeld() {
  const rows = held.names().map((name) => ({ name, word: holding(store.engines.get(name)) }));
  keyed(held.list, rows, (row) => row.name, (row) => h("li", { "data-engine": row.name }, h("span", {}, row.name), h("b", { class: "num" })), (item, row) => text(item.querySelector("b"), row.word));
}

function holding(found) {
  if (!found?.status.positions) return "not known";
  const open = told(left(found.status)) || "nothing open";
  return isStale(found) ? `last known: ${open}` : open;
}

async function begin(names) {
  run = { names, asked: performance.now(), failed: "", steps: new Map(names.map((name) => [name, { reached: 0, lines: [], seqs: new Set() }])), over: false };
  for (const name of names) run.steps.get(name).from = store.engines.get(name)?.status.seq ?? 0;
  open();
  try {
    await post("/api/kill", names.length === 1 && store.order.length > 1 ? { engine: names[0] } : {});
  } catch (error) {
    run.failed = error.message;
  }
  draw();
}

let view = null;

function open() {
  const head = h("p", { class: "verdict", role: "status" }, icon("wait"), h("b"));
  const list = h("ol", { class: "stoplist" });
  const away = h("button", { type: "button", class: "ghost", onclick: hide }, "Hide, it goes on");
  view = { head, list, away };
  show("STOP", [head, list], [away], "danger");
  draw();
}

/** The stream's events of an engine that is being stopped. */
export function stopEvent({ engine, seq, event }) {
  const step = run && !run.over ? run.steps.get(engine) : null;
  const line = step && seq > step.from ? lineOf(event) : "";
  if (!line || step.seqs.has(seq)) return;
  step.seqs.add(seq);
  step.lines.push({ seq, line });
  if (step.lines.length > 40) step.lines.shift();
  draw();
}

/** How far an engine has come, by its own status. */
function reached(name) {
  const held = store.engines.get(name);
  if (!held) return { at: 0, done: true, ok: false, word: "gone from the fleet" };
  const { status } = held;
  const open = left(status);
  if (status.status === "STOPPED") return { at: 3, done: true, ok: open.length === 0, word: open.length ? `not running, with ${told(open)} open` : "not running, nothing open" };
  if (status.trading === "HALTED" && !status.closing && open.length === 0) return { at: 4, done: true, ok: true, word: "flat" };
  if (status.trading === "HALTED" && !status.closing && status.latched) return { at: 4, done: true, ok: false, word: `halted, left: ${told(open)}` };
  if (isStale(held)) return { at: 1, done: false, ok: false, word: `no heartbeat; last known: ${told(open) || "flat"}` };
  if (status.closing) return { at: 3, done: false, ok: true, word: `closing, attempt ${status.closing}: ${told(open) || "verifying"}` };
  if (status.trading === "REDUCING" || status.status === "EMERGENCY") return { at: 2, done: false, ok: true, word: `reducing: ${told(open) || "verifying"}` };
  return { at: 1, done: false, ok: true, word: "asked" };
}

const told = (rows) => rows.map((row) => `${amount(row.base_e9, true)} ${row.market}`).join(", ");

function draw() {
  if (!run || !view) return;
  const states = run.names.map((name) => ({ name, ...reached(name) }));
  const fresh = performance.now() - run.asked < 400;
  run.over = !fresh && (Boolean(run.failed) || states.every((state) => state.done));
  keyed(view.list, states, (state) => state.name, makeEngine, fillEngine);
  const bad = run.failed || states.some((state) => !state.ok && state.done);
  setIcon(view.head.querySelector("svg"), !run.over ? "wait" : bad ? "bad" : "ok");
  const seconds = ((run.ended ??= run.over ? performance.now() : undefined) ?? performance.now()) - run.asked;
  const verdict = run.failed ? `Refused: ${run.failed}` : !run.over ? "Closing…" : bad ? "Not everything is flat. What is left stands below." : `Flat in ${(seconds / 1000).toFixed(1)} s. Trading is halted until you resume it.`;
  text(view.head.querySelector("b"), verdict);
  attr(view.head, "data-tone", !run.over ? "wait" : bad ? "bad" : "ok");
  text(view.away, run.over ? "Close" : "Hide, it goes on");
}

function makeEngine(state) {
  return h("li", { "data-engine": state.name }, h("h3", {}, h("span", {}, state.name), h("b")),
    h("ul", { class: "steps" }, ...STEPS.map(([name, label]) => h("li", { "data-step": name }, icon("dash"), label))), h("ul", { class: "lines num" }));
}

function fillEngine(node, state) {
  text(node.querySelector("h3 b"), state.word);
  [...node.querySelector(".steps").children].forEach((step, index) => {
    const done = index < state.at || (state.done && state.ok);
    const failed = state.done && !state.ok && index === STEPS.length - 1;
    setIcon(step.querySelector("svg"), failed ? "bad" : done ? "ok" : index === state.at && !run.failed ? "wait" : "dash");
    attr(step, "data-done", failed ? "bad" : done ? "yes" : null);
  });
  const lines = node.querySelector(".lines");
  keyed(lines, run.steps.get(state.name).lines, (row) => String(row.seq), () => h("li"), (item, row) => text(item, row.line));
}

watch(() => {
  if (held) drawHeld();
  else if (isOpen() && view) draw();
});

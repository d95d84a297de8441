// Panel 5: start, stop, restart, the mode, and the parameters as a form made from their declaration.

import { at } from "../api.js";
import { command } from "../commands.js";
import { confirmed } from "../dialog.js";
import { attr, h, keyed, parts, text } from "../dom.js";
import { UNKNOWN, duration, plain } from "../format.js";
import { ageOf, current, isStale, store } from "../store.js";

const panel = parts("p-control");
const button = Object.fromEntries([...panel.root.querySelectorAll("[data-do]")].map((node) => [node.dataset.do, node]));
const modes = [...panel.root.querySelectorAll("[data-mode]")];
const DOWN = ["STOPPED", "ERROR"];

export function drawControl() {
  const held = current();
  const status = held?.status;
  const state = status?.status;
  const down = DOWN.includes(state);
  attr(button.start, "disabled", !status || !down);
  attr(button.stop, "disabled", !status || down || state === "STOPPING");
  attr(button.restart, "disabled", !status || state === "STOPPING");
  const halted = state === "RUNNING" && (status.latched || status.trading === "HALTED");
  attr(button.resume, "hidden", !halted);
  text(panel.uptime, status?.uptime_s > 0 && !down ? `up ${duration(status.uptime_s + (isStale(held) ? 0 : ageOf(held)))}` : "");
  for (const node of modes) attr(node, "aria-checked", status?.mode === node.dataset.mode ? "true" : "false");
  drawFacts(status);
  drawForm(status, down);
}

function drawFacts(status) {
  const cpu = status?.resources?.cpu_s;
  const memory = status?.resources?.rss_bytes;
  const facts = !status ? [] : [
    ["Strategy", status.strategy ?? UNKNOWN],
    ["Market", [status.market, status.simulated ? "simulated" : status.venue].filter(Boolean).join(", ") || UNKNOWN],
    ["Scenario", status.scenario],
    ["Process", status.pid ? `pid ${status.pid}` : "none"],
    ["Restarts", status.restarts ?? UNKNOWN],
    ["CPU, memory", cpu === null || cpu === undefined ? UNKNOWN : `${cpu.toFixed(1)} s, ${memory ? (memory / 2 ** 20).toFixed(0) : UNKNOWN} MiB`],
  ].filter(([, value]) => value !== null && value !== undefined && value !== "");
  keyed(panel.facts, facts, ([name]) => name, ([name]) => h("div", {}, h("dt", {}, name), h("dd", { class: "num" })), (node, [, value]) => text(node.lastChild, value));
}

/** The declaration: what the engine says of itself, and what the strategy's own declaration adds. */
function declared(status) {
  const known = store.strategies[status.strategy]?.params ?? [];
  const names = new Set([...known.map((row) => row.name), ...Object.keys(status.params ?? {})]);
  return [...names].map((name) => {
    const told = status.params?.[name];
    const own = told !== null && typeof told === "object" ? told : { value: told };
    return { name, ...known.find((row) => row.name === name), ...own };
  });
}

let formOf = "";

function drawForm(status, down) {
  const rows = status ? declared(status) : [];
  text(panel.paramcount, status ? `${rows.length}${down ? "" : ", stop the engine to change them"}` : "");
  const name = status ? `${status.engine}/${rows.map((row) => row.name).join()}` : "";
  if (name !== formOf) {
    formOf = name;
    panel.form.replaceChildren(...rows.map(makeField), h("div", { class: "buttons end" }, h("button", { type: "submit", class: "primary", disabled: true }, "Save")));
    if (rows.length === 0) panel.form.replaceChildren(h("p", { class: "note" }, status ? "This strategy has no parameters" : "Loading…"));
  }
  for (const row of rows) fillField(panel.form.elements[row.name], row, down);
  const save = panel.form.querySelector("[type=submit]");
  if (save) attr(save, "disabled", !down);
}

function makeField(row) {
  const id = `param-${row.name}`;
  const yes = row.type === "boolean";
  const field = yes
    ? h("select", { id, name: row.name }, h("option", { value: "true" }, "yes"), h("option", { value: "false" }, "no"))
    : h("input", { id, name: row.name, type: "text", class: "num", autocomplete: "off", spellcheck: "false", inputmode: /int|dec|num|float/i.test(row.type ?? "") ? "decimal" : "text" });
  field.addEventListener("input", () => { field.dataset.touched = "yes"; });
  return h("div", { class: "field", title: row.help ?? "" }, h("label", { for: id }, row.name.replaceAll("_", " ")), field,
    h("span", { class: "unit" }, row.unit ?? ""), row.help ? h("p", { class: "help" }, row.help) : null);
}

function fillField(field, row, down) {
  if (!field) return;
  attr(field, "disabled", !down);
  if (!down) delete field.dataset.touched;
  const shown = row.value === null || row.value === undefined ? "" : String(row.value);
  const value = field.tagName === "SELECT" ? shown.toLowerCase() : shown;
  const inHand = field.dataset.touched || document.activeElement === field;
  if (!inHand && field.value !== value) field.value = value;
  attr(field, "placeholder", row.default === undefined ? null : plain(row.default));
}

panel.form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { status } = current();
  const touched = [...panel.form.elements].filter((field) => field.name && field.dataset.touched);
  const params = Object.fromEntries(touched.map((field) => [field.name, field.value.trim()]));
  if (touched.length === 0) return;
  if (await command(at(status.engine, "params"), { params }, "Parameters")) for (const field of touched) delete field.dataset.touched;
});

const QUESTIONS = {
  stop: ["Stop", "The engine ends within 5 s. Open positions stay open and nobody watches them.", "Stop engine"],
  restart: ["Restart", "The engine ends, starts again in the same mode and recovers from its journal. Positions stay.", "Restart engine"],
  resume: ["Resume", "The latch is taken off: the strategy trades again with all of its limits.", "Resume trading"],
};

async function run(word) {
  const status = current()?.status;
  if (!status) return;
  const [title, line, yes] = QUESTIONS[word] ?? [];
  if (title && !(await confirmed({ title: `${title} ${status.engine}?`, lines: [line, ...(status.reason ? [`Now: ${status.reason}`] : [])], yes }))) return;
  await command(at(status.engine, word), status.mode === "live" ? { confirm: `LIVE ${status.engine}` } : {}, `${title ?? "Start"} ${status.engine}`);
}

for (const [word, node] of Object.entries(button)) node.addEventListener("click", () => run(word));

async function toMode(mode) {
  const status = current()?.status;
  if (!status || status.mode === mode) return;
  if (mode === "paper") return;
  const words = `LIVE ${status.engine}`;
  const lines = ["LIVE sends real orders with real money.", "It needs the switch in the fleet file as well; the engine says so where it is missing."];
  if (!(await confirmed({ title: `Take ${status.engine} LIVE?`, lines, yes: "Go LIVE", tone: "danger", typed: words }))) return;
  await command(at(status.engine, "start"), { mode: "live", confirm: words }, `LIVE ${status.engine}`);
}

for (const node of modes) node.addEventListener("click", () => toMode(node.dataset.mode));

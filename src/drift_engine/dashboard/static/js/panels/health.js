// Panels 1 and 2: the health gauge, the focal point, and the leverage meter.

import { attr, h, icon, keyed, parts, s, setIcon, text } from "../dom.js";
import { UNKNOWN, age, money, percent } from "../format.js";
import { healthOf, leverageLevel, summary, zone } from "../states.js";
import { ageOf, current, isStale, store } from "../store.js";

const panel = parts("p-health");
const lever = parts("p-leverage");
const CENTRE = 120;
const BASE = 124;
const RADIUS = 98;
const gauge = makeGauge(document.getElementById("gauge"));

function point(fraction, radius) {
  const angle = Math.PI * (1 - fraction);
  return [CENTRE + radius * Math.cos(angle), BASE - radius * Math.sin(angle)];
}

function arc(from, to, radius, props) {
  const [x1, y1] = point(from, radius);
  const [x2, y2] = point(to, radius);
  return s("path", { d: `M${x1} ${y1}A${radius} ${radius} 0 0 1 ${x2} ${y2}`, fill: "none", ...props });
}

function makeGauge(root) {
  const value = arc(0, 1, RADIUS, { class: "value", pathLength: "100" });
  const knob = s("circle", { class: "knob", r: "6.5", cx: "0", cy: "0" });
  const zones = [["danger", 0, 0.2], ["risk", 0.2, 0.5], ["used", 0.5, 0.9], ["safe", 0.9, 1]];
  const ring = zones.map(([name, from, to]) => arc(from + 0.004, to - 0.004, RADIUS + 14, { class: `zone ${name}` }));
  const marks = [0.2, 0.5, 0.9].map((at) => {
    const [x, y] = point(at, RADIUS - 19);
    return s("text", { x, y: y + 3, class: "mark", "text-anchor": "middle" }, String(at * 100));
  });
  const svg = s("svg", { viewBox: "0 0 240 138", "aria-hidden": "true" }, ...ring, arc(0, 1, RADIUS, { class: "track" }), value, ...marks, knob);
  const figure = h("output", { class: "num figure", id: "health-figure" }, UNKNOWN);
  const word = h("span", {}, "Loading");
  const label = h("p", { class: "label", id: "health-label" }, icon("wait"), word);
  const note = h("p", { class: "halt", id: "health-halt" }, icon("halt"), h("span"));
  root.append(svg, figure, label, note);
  return { value, knob, figure, label, word, note };
}

export function drawHealth() {
  const held = current();
  const status = held?.status;
  const health = held ? healthOf(status.margin) : null;
  const looks = held ? zone(status.margin) : { level: "loading", label: store.failed ? "No data" : "Loading", icon: store.failed ? "unknown" : "wait" };
  const stale = held ? isStale(held) || status.margin?.status === "stale" : false;
  attr(panel.root, "data-state", looks.level);
  attr(panel.root, "data-stale", stale ? "yes" : null);
  text(gauge.figure, health === null || looks.level === "empty" ? UNKNOWN : percent(health));
  text(gauge.word, stale && health !== null ? `${looks.label}, but old` : looks.label);
  setIcon(gauge.label.querySelector("svg"), stale && health !== null ? "stale" : looks.icon);
  needle(health);
  drawHalt(held);
  drawMargin(held);
}

function needle(health) {
  const at = health === null ? null : Math.min(1, Math.max(0, health));
  attr(gauge.value, "stroke-dasharray", at === null ? "0 100" : `${(at * 100).toFixed(2)} 100`);
  attr(gauge.knob, "visibility", at === null ? "hidden" : "visible");
  if (at === null) return;
  const [x, y] = point(at, RADIUS);
  attr(gauge.knob, "transform", `translate(${x.toFixed(2)} ${y.toFixed(2)})`);
}

/** What stands over the gauge where the engine is not simply running. */
function drawHalt(held) {
  const state = held ? summary(held.status, isStale(held)) : null;
  const shown = state && state.key !== "between" ? state : null;
  const status = held?.status;
  const quiet = !status ? "" : state ? state.word : `${status.status}, trading ${status.trading ?? "not known"}`;
  attr(panel.root, "data-engine", shown?.key ?? null);
  setIcon(gauge.note.querySelector("svg"), shown?.icon ?? (status ? "play" : "wait"));
  const reason = held?.status.reason ?? "";
  const why = reason && reason.toUpperCase() !== shown?.word ? `: ${reason}` : "";
  attr(gauge.note, "title", shown && why ? reason : null);
  text(gauge.note.querySelector("span"), shown ? `${shown.word}${shown.key === "stale" ? ` for ${age(ageOf(held))}` : why}` : quiet);
}

function drawMargin(held) {
  const margin = held?.status.margin ?? {};
  const has = margin.status && margin.status !== "unknown";
  const figure = (name) => (has ? money(margin[name]) : UNKNOWN);
  text(panel.collateral, figure("collateral_e6"));
  text(panel.free, figure("free_e6"));
  text(panel.initial, figure("initial_e6"));
  text(panel.maintenance, figure("maintenance_e6"));
  text(panel.equity, money(held?.status.equity_e6 ?? (has ? margin.equity_e6 : null)));
  const drawdown = held?.status.drawdown;
  text(panel.drawdown, drawdown === null || drawdown === undefined ? UNKNOWN : percent(drawdown, 2));
  text(panel.age, held ? dataAge(held, margin) : "no data yet");
}

function dataAge(held, margin) {
  if (!margin.status || margin.status === "unknown") return "age not known";
  const own = typeof margin.age_ms === "number" ? margin.age_ms / 1000 : null;
  return own === null ? "age not known" : `${margin.status === "stale" ? "stale, " : ""}${age(own + ageOf(held))} old`;
}

/** The most this account may have: as told, or what its initial margin allows at today's mix. */
function most(margin, status) {
  const told = margin.max_leverage ?? status.limits?.max_leverage;
  if (typeof told === "number" && told > 0) return told;
  if (margin.leverage > 0 && margin.initial_e6 > 0 && margin.collateral_initial_e6 > 0) {
    return Math.min(50, (margin.leverage * margin.collateral_initial_e6) / margin.initial_e6);
  }
  return null;
}

export function drawLeverage() {
  const status = current()?.status;
  const margin = status?.margin ?? {};
  const leverage = margin.status && margin.status !== "unknown" ? margin.leverage ?? null : null;
  const level = leverageLevel(leverage);
  const limit = status ? most(margin, status) : null;
  const end = Math.max(limit ?? 10, 5, leverage ?? 0);
  attr(lever.root.querySelector(".lever"), "data-level", level);
  text(lever.value, leverage === null ? UNKNOWN : `${leverage.toFixed(2)}×`);
  const known = margin.status && margin.status !== "unknown";
  text(lever.word, { none: known ? "No equity to lever" : "No data", low: "Low", mid: "Raised", high: "High" }[level] + (limit ? ` · most ${limit.toFixed(1)}×` : ""));
  lever.fill.style.width = leverage === null ? "0" : `${Math.min(100, (leverage / end) * 100).toFixed(2)}%`;
  const meter = lever.fill.parentElement;
  attr(meter, "aria-valuemax", end.toFixed(1));
  attr(meter, "aria-valuenow", leverage === null ? null : leverage.toFixed(2));
  attr(meter, "aria-valuetext", leverage === null ? "not known" : `${leverage.toFixed(2)} times`);
  ticks(end);
}

function ticks(end) {
  const step = end > 24 ? 10 : end > 12 ? 5 : end > 7 ? 2 : 1;
  const at = [];
  for (let tick = 0; tick <= end + 1e-9; tick += step) at.push(tick);
  keyed(lever.ticks, at, String, (tick) => h("span", {}, `${tick}×`), (mark, tick) => {
    mark.style.left = `${(tick / end) * 100}%`;
    mark.style.transform = `translateX(${(-tick / end) * 100}%)`;
  });
  for (const [name, from] of [["mid", 3], ["high", 5]]) lever.fill.parentElement.style.setProperty(`--${name}`, `${(from / end) * 100}%`);
}

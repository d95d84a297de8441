// Panel 11: the strip under the header says the worst that is true now; the list keeps the history.

import { get } from "../api.js";
import { command } from "../commands.js";
import { attr, h, icon, keyed, parts, setIcon, text } from "../dom.js";
import { age, clock } from "../format.js";
import { SEVERITY, summary, zone } from "../states.js";
import { ageOf, changed, current, isStale, store } from "../store.js";

const panel = parts("p-alerts");
const strip = document.getElementById("strip");
const look = (alert) => SEVERITY[alert.severity] ?? SEVERITY.INFO;
const key = (alert) => String(alert.id ?? `${alert.engine}/${alert.rule}/${alert.raised_ns}`);
const when = (alert) => alert.said_ns || alert.raised_ns || null;
const said = (alert) => `${alert.message ?? alert.rule ?? "alert"}${alert.count > 1 ? ` (${alert.count}×)` : ""}`;
const isActive = (alert) => alert.active !== false && !alert.dismissed;

/** Take one alert of the stream: new, repeated or over. */
export function takeAlert(alert) {
  const name = key(alert);
  const rest = store.alerts.filter((held) => key(held) !== name);
  store.alerts = [alert, ...rest].slice(0, 100);
  changed();
}

export async function loadAlerts() {
  const told = await get("/api/alerts");
  const rows = Array.isArray(told) ? told : [...(told.active ?? []).map((alert) => ({ active: true, ...alert })), ...(told.history ?? []).map((alert) => ({ active: false, ...alert }))];
  const seen = new Set();
  store.alerts = rows.filter((alert) => !seen.has(key(alert)) && seen.add(key(alert)));
  changed();
}

export function drawAlerts() {
  const active = store.alerts.filter(isActive).sort((a, b) => look(a).rank - look(b).rank);
  drawStrip(active);
  text(panel.count, active.length ? `${active.length} active` : "none active");
  if (store.alerts.length === 0) {
    if (!panel.rows.keyedRows && panel.rows.firstChild) return;
    panel.rows.keyedRows = undefined;
    panel.rows.replaceChildren(h("li", { class: "empty" }, icon("ok"), "No alerts so far"));
    return;
  }
  if (!panel.rows.keyedRows) panel.rows.replaceChildren();
  keyed(panel.rows, store.alerts, key, makeRow, fillRow);
}

/** The strip is always there, so nothing moves when an alert comes or goes. */
function drawStrip(active) {
  const held = current();
  const state = held ? summary(held.status, isStale(held)) : null;
  const [tone, name, line] = worst(active, held, state);
  attr(strip, "data-tone", tone);
  setIcon(strip.querySelector("svg"), name);
  text(strip.querySelector("p"), line);
}

function worst(active, held, state) {
  if (store.conn.state === "lost") return ["warn", "stale", `Connection lost. The figures below are ${held ? `${age(ageOf(held))} old` : "old"} and do not move.`];
  const first = active[0];
  const more = active.length > 1 ? `  ·  ${active.length - 1} more` : "";
  if (first) return [look(first).tone, look(first).icon, `${first.severity}  ${first.engine ? `${first.engine}: ` : ""}${said(first)}${more}`];
  if (state?.key === "halted") return ["halt", "halt", `${held.status.engine} is halted${held.status.reason ? `: ${held.status.reason}` : ""}`];
  if (state?.key === "stale") return ["warn", "stale", `No heartbeat of ${held.status.engine} for ${age(ageOf(held))}`];
  const looks = held ? zone(held.status.margin) : null;
  if (looks?.level === "danger") return ["bad", "bad", `${held.status.engine}: liquidation risk`];
  if (looks?.level === "unknown" && held.status.status === "RUNNING") return ["warn", "unknown", `The health of ${held.status.engine} is not known`];
  if (!held) return ["none", store.failed ? "bad" : "wait", store.failed || (store.loaded ? "No engine is known" : "Waiting for the first figures")];
  return ["none", "ok", "No active alerts"];
}

function makeRow(alert) {
  const away = h("button", { type: "button", class: "ghost square small", "aria-label": "Dismiss", onclick: () => command(`/api/alerts/${encodeURIComponent(key(alert))}/dismiss`, {}, "Dismiss alert") }, icon("close"));
  return h("li", {}, icon("info"), h("div", {}, h("b"), h("p")), h("time", { class: "num" }), away);
}

function fillRow(node, alert) {
  const active = isActive(alert);
  attr(node, "data-tone", active ? look(alert).tone : "over");
  setIcon(node.querySelector("svg"), active ? look(alert).icon : "dash");
  text(node.querySelector("b"), `${alert.severity ?? "INFO"}${active ? "" : " · over"}  ${alert.engine ?? ""}`);
  text(node.querySelector("p"), said(alert));
  text(node.querySelector("time"), clock(when(alert)));
  attr(node.querySelector("button"), "hidden", !active);
}

panel.root.querySelector("[data-do=test]").addEventListener("click", () => command("/api/alerts/test", {}, "Test alert"));

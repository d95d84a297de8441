// Panel 0: who, what state, how old. All of it from the engine, nothing from the button pressed.

import { attr, h, icon, keyed, parts, setIcon, text } from "../dom.js";
import { age, moment, percent } from "../format.js";
import { STATUS, TRADING, healthOf, summary, zone } from "../states.js";
import { ageOf, current, isStale, select, store } from "../store.js";

const top = parts("top");
const tabs = document.getElementById("engines");

function pill(node, word, look) {
  setIcon(node.querySelector("svg"), look.icon);
  text(node.querySelector("b"), word);
  attr(node, "data-tone", look.tone);
}

export function drawHeader() {
  const held = current();
  drawTabs();
  drawConn();
  if (!held) return drawNone();
  const { status } = held;
  const stale = isStale(held);
  const word = stale ? "STALE" : status.status;
  attr(document.body, "data-stale", stale ? "yes" : null);
  pill(top.status, word, STATUS[word] ?? { icon: "unknown", tone: "grey" });
  pill(top.mode, (status.mode ?? "—").toUpperCase(), status.mode === "live" ? { icon: "live", tone: "bad" } : { icon: "paper", tone: "info" });
  const trading = status.trading ?? "NOT KNOWN";
  pill(top.trading, trading, TRADING[status.trading] ?? { icon: "unknown", tone: "grey" });
  attr(top.trading, "title", status.reason || null);
  text(top.seq, status.seq ?? "—");
  text(top.age, age(ageOf(held)));
  text(top.clock, moment(status.as_of_ns));
}

function drawNone() {
  attr(document.body, "data-stale", null);
  const word = store.failed ? "ERROR" : store.loaded ? "NO ENGINE" : "LOADING";
  pill(top.status, word, store.failed ? STATUS.ERROR : { icon: store.loaded ? "unknown" : "wait", tone: "grey" });
}

function drawConn() {
  const { state, retry } = store.conn;
  const wait = Math.max(0, Math.ceil(retry - performance.now() / 1000));
  const said = { live: "Live", connecting: "Connecting", resync: "Catching up", paused: "Paused", lost: wait ? `Reconnecting in ${wait} s` : "Reconnecting" };
  attr(document.body, "data-conn", state);
  text(top.conn, said[state]);
}

function drawTabs() {
  if (store.order.length === 0) {
    const said = store.failed || (store.loaded ? "No engine in the fleet. Name one in a fleet file and start the server with --fleet FILE." : "Loading engines…");
    tabs.keyedRows = undefined;
    if (tabs.textContent !== said) tabs.replaceChildren(h("p", { class: "quiet" }, said));
    return;
  }
  if (!tabs.keyedRows) tabs.replaceChildren();
  keyed(tabs, store.order, (name) => name, makeTab, fillTab);
}

function makeTab(name) {
  return h("button", { type: "button", role: "tab", class: "tab", "aria-controls": "main", "data-engine": name, onclick: () => select(name) },
    h("span", { class: "name" }, name), h("span", { class: "state" }, icon("wait"), h("b", { class: "num" })));
}

function fillTab(tab, name) {
  const held = store.engines.get(name);
  if (!held) return;
  const { status } = held;
  const state = summary(status, isStale(held));
  const looks = zone(status.margin);
  const chosen = name === store.selected;
  if (chosen && tab.getAttribute("aria-selected") !== "true") reveal(tab);
  attr(tab, "aria-selected", chosen ? "true" : "false");
  attr(tab, "tabindex", chosen ? "0" : "-1");
  attr(tab, "data-state", state?.key ?? looks.level);
  setIcon(tab.querySelector("svg"), state?.icon ?? looks.icon);
  const health = healthOf(status.margin);
  text(tab.querySelector("b"), state?.word ?? (health === null ? "NO DATA" : percent(health)));
}

function reveal(tab) {
  tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - 24;
}

addEventListener("resize", () => {
  const chosen = tabs.querySelector("[aria-selected=true]");
  if (chosen) reveal(chosen);
});

tabs.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || store.order.length === 0) return;
  event.preventDefault();
  const count = store.order.length;
  const name = store.order[(store.order.indexOf(store.selected) + step + count) % count];
  select(name);
  tabs.querySelector(`[data-engine="${CSS.escape(name)}"]`)?.focus();
});

// Starts the page: reads everything once, opens the stream, and draws every panel from the store.

import { get } from "./api.js";
import { lock, setLocked, unlock } from "./commands.js";
import { attr, setIcon, text } from "./dom.js";
import { drawAccounts, drawActions } from "./panels/actions.js";
import { drawAlerts, loadAlerts, takeAlert } from "./panels/alerts.js";
import { forgetCharts, loadCharts, repaint } from "./panels/charts.js";
import { drawControl } from "./panels/control.js";
import { drawDecisions, loadDecisions, takeDecision } from "./panels/decisions.js";
import { drawHeader } from "./panels/header.js";
import { drawHealth, drawLeverage } from "./panels/health.js";
import { drawLedger } from "./panels/ledger.js";
import { drawLog, loadLog, takeLine } from "./panels/log.js";
import { drawOpportunities } from "./panels/opportunities.js";
import { drawPositions } from "./panels/positions.js";
import { stopEvent } from "./panels/stop.js";
import { drawStrategy } from "./panels/strategy.js";
import { changed, setConn, store, take, takeAll, watch } from "./store.js";
import { Stream } from "./stream.js";

const PANELS = [[drawHeader, "top"], [drawHealth, "p-health"], [drawLeverage, "p-leverage"], [drawPositions, "p-positions"],
  [drawControl, "p-control"], [drawActions, "p-actions"], [drawAccounts, "p-accounts"], [drawStrategy, "p-strategy"],
  [drawLedger, "p-ledger"], [drawOpportunities], [drawAlerts], [drawDecisions], [drawLog], [drawLock], [followSelection]];
for (const [draw, id] of PANELS) watch(draw, id ? document.getElementById(id) : null);

const lockButton = document.getElementById("lock");
const themeButton = document.getElementById("theme");

function drawLock() {
  setIcon(lockButton.querySelector("svg"), store.locked ? "lock" : "unlock");
  text(lockButton.querySelector("span"), store.locked ? "Read-only" : "Unlocked");
  attr(lockButton, "title", store.locked ? "Unlock the controls with the token" : "Lock the controls again");
}

let followed = null;
let process = null;

/** Ask for everything. True where the answer came. */
async function resync() {
  try {
    takeAll(await get("/api/engines"));
  } catch (error) {
    store.failed = store.loaded ? "" : `The server gave no figures: ${error.message}`;
    changed();
    return false;
  }
  followed = store.selected;
  process = store.engines.get(followed)?.status.pid ?? null;
  Promise.allSettled([readSession(), loadAlerts(), loadStrategies(), loadEngine(store.selected), loadOpportunities()]);
  return true;
}

async function readSession() {
  const session = await get("/api/session");
  setLocked(session.locked ?? !session.unlocked);
}

async function loadStrategies() {
  const listed = await get("/api/strategies");
  store.strategies = Object.fromEntries(listed.map((row) => [row.name, row]));
  changed();
}

async function loadOpportunities() {
  store.opportunities = await get("/api/opportunities");
  changed();
}

async function loadEngine(name) {
  if (!name) return;
  await Promise.all([loadDecisions(name), loadLog(name), loadCharts()]);
}

/** Another engine, or a new process of the same one: what was read of the old is read anew. */
function followSelection() {
  const pid = store.engines.get(store.selected)?.status.pid ?? null;
  if (store.selected === followed && (pid === null || pid === process)) return;
  followed = store.selected;
  process = pid ?? process;
  if (!followed) return;
  forgetCharts();
  loadEngine(followed).catch((error) => console.warn(error.message));
}

const stream = new Stream("/api/stream", {
  status: take,
  decision: takeDecision,
  log: takeLine,
  alert: takeAlert,
  event: stopEvent,
}, resync);

lockButton.addEventListener("click", () => (store.locked ? unlock() : lock()));
themeButton.addEventListener("click", () => {
  const light = document.documentElement.dataset.theme !== "light";
  document.documentElement.dataset.theme = light ? "light" : "dark";
  attr(themeButton, "aria-label", `Switch to the ${light ? "dark" : "light"} theme`);
  try { localStorage.setItem("theme", light ? "light" : "dark"); } catch { /* a private window: the choice lasts for this visit */ }
  repaint();
});

const wanted = decodeURIComponent(location.hash.slice(1));
if (wanted) store.selected = wanted;
stream.open();
setInterval(changed, 500);
setInterval(loadCharts, 3000);
setInterval(() => { if (store.conn.state === "live") loadOpportunities().catch(() => {}); }, 5000);

let away = 0;

function reopen() {
  clearTimeout(away);
  if (!stream.source) { setConn("connecting"); stream.open(); }
  changed();
  loadCharts();
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) return reopen();
  away = setTimeout(() => stream.close(), 5000);
});
addEventListener("pagehide", () => stream.close());
addEventListener("pageshow", (event) => { if (event.persisted) reopen(); });

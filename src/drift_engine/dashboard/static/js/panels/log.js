// Panel 13: the last 200 lines of the engine's log, as text. It follows the end unless the reader has scrolled away.

import { at, get } from "../api.js";
import { attr, h, parts, text } from "../dom.js";
import { changed, current, push, store } from "../store.js";

const panel = parts("p-log");
const KEPT = 200;
let drawnFor = null;
let last = null;
let number = 0;

export function takeLine(line) {
  push(store.logs, line.engine, { ...line, n: ++number }, KEPT);
}

/** Begin with the end of the engine's log. */
export async function loadLog(engine) {
  const lines = await get(`${at(engine, "logs")}?n=${KEPT}`);
  store.logs.set(engine, lines.map((line) => ({ ...line, n: ++number })));
  if (drawnFor === engine) drawnFor = null;
  changed();
}

export function drawLog() {
  const engine = current()?.status.engine ?? null;
  const lines = store.logs.get(engine) ?? [];
  if (drawnFor !== engine) {
    drawnFor = engine;
    last = null;
    panel.rows.replaceChildren();
  }
  const fresh = last === null ? lines : lines.filter((line) => line.n > last);
  if (fresh.length === 0) return drawEmpty(lines.length === 0 && engine !== null);
  last = fresh.at(-1).n;
  panel.rows.querySelector(".empty")?.remove();
  panel.rows.append(...fresh.map(makeLine));
  while (panel.rows.children.length > KEPT) panel.rows.firstChild.remove();
  if (panel.follow.checked) panel.rows.scrollTop = panel.rows.scrollHeight;
}

function drawEmpty(empty) {
  if (!empty || panel.rows.firstChild) return;
  panel.rows.append(h("li", { class: "empty" }, "Nothing was logged yet"));
}

const shortTime = (time) => String(time).replace(/^.*T(\d\d:\d\d:\d\d).*$/, "$1");

function makeLine(line) {
  const level = (line.level ?? "info").toLowerCase();
  const node = h("li", { "data-level": level }, h("time", { class: "num" }), h("span", { class: "level" }), h("span", { class: "source" }), h("span", { class: "message" }));
  text(node.children[0], line.time ? shortTime(line.time) : "");
  text(node.children[1], level.toUpperCase());
  text(node.children[2], line.source ?? "engine");
  text(node.children[3], line.message ?? "");
  attr(node, "title", line.time ?? null);
  return node;
}

panel.rows.addEventListener("scroll", () => {
  const away = panel.rows.scrollHeight - panel.rows.scrollTop - panel.rows.clientHeight > 24;
  if (away === panel.follow.checked) panel.follow.checked = !away;
}, { passive: true });
panel.follow.addEventListener("change", () => { if (panel.follow.checked) panel.rows.scrollTop = panel.rows.scrollHeight; });

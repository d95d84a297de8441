// Panel 14: six charts from the journal. Drawn only where they can be seen, and redrawn in place: a chart that the
// reader has zoomed keeps its window.

import { at, get } from "../api.js";
import { attr, h, icon, parts, text } from "../dom.js";
import { fixed, percent } from "../format.js";
import { current } from "../store.js";

const panel = parts("p-charts");
const SERIES = "equity,drawdown,health,price,funding,basis,delta";
const HOUR_NS = 3.6e12;
const SPANS = [["1 h", HOUR_NS], ["6 h", 6 * HOUR_NS], ["24 h", 24 * HOUR_NS], ["7 d", 168 * HOUR_NS], ["All", null]];
const POINTS = 360;

const CHARTS = [
  { id: "equity", title: "Equity and drawdown", unit: "USD · %", draw: equity },
  { id: "health", title: "Health", unit: "%", draw: health },
  { id: "price", title: "Price and fills", unit: "USD", draw: prices },
  { id: "funding", title: "Cumulative funding", unit: "USD", draw: (data, look) => line(data, "funding", look.accent, 1, "$,.4f", true) },
  { id: "basis", title: "Basis, mark over oracle", unit: "bp", draw: (data, look) => line(data, "basis", look.violet, 1e4, ".2f", true) },
  { id: "delta", title: "Net delta", unit: "base", draw: (data, look) => ({ ...line(data, "delta", look.amber, 1, ".4f", true), step: true }) },
];

const TICKS = [
  { dtickrange: [null, 60_000], value: "%H:%M:%S" },
  { dtickrange: [60_000, 86_399_999], value: "%H:%M" },
  { dtickrange: [86_400_000, "M1"], value: "%d %b" },
  { dtickrange: ["M1", null], value: "%b %Y" },
];

let span = null;
let loading = null;
let drawn = { engine: null, data: null, theme: "" };
let failed = "";

const boxes = CHARTS.map((chart) => {
  const plot = h("div", { class: "plot" });
  const empty = h("p", { class: "empty" }, "Loading…");
  const last = h("b", { class: "num last" });
  const grow = h("button", { type: "button", class: "ghost square small", "aria-label": `Enlarge ${chart.title}`, "aria-pressed": "false" }, icon("grow"));
  const box = h("figure", { class: "chart", id: `chart-${chart.id}` }, h("figcaption", {}, h("span", {}, chart.title), h("span", { class: "quiet" }, chart.unit), last, grow), h("div", { class: "plotbox" }, plot, empty));
  grow.addEventListener("click", () => {
    const large = box.classList.toggle("large");
    attr(grow, "aria-pressed", large ? "true" : "false");
    if (plot.data) globalThis.Plotly.Plots.resize(plot);
  });
  return { chart, box, plot, empty, last, seen: false };
});
panel.plots.append(...boxes.map(({ box }) => box));
panel.spans.append(...SPANS.map(([name, length]) => h("button", { type: "button", role: "radio", "aria-checked": length === span ? "true" : "false", onclick: (event) => choose(length, event.currentTarget) }, name)));

const eye = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const found = boxes.find(({ box }) => box === entry.target);
    found.seen = entry.isIntersecting;
    if (found.seen && drawn.data) paint(found);
  }
}, { rootMargin: "120px" });
boxes.forEach(({ box }) => eye.observe(box));

function choose(length, node) {
  span = length;
  for (const other of panel.spans.children) attr(other, "aria-checked", other === node ? "true" : "false");
  for (const { plot } of boxes) if (plot.data) globalThis.Plotly.relayout(plot, { "xaxis.autorange": true, "yaxis.autorange": true });
  loadCharts();
}

function library() {
  loading ??= new Promise((resolve, reject) => {
    const script = h("script", { src: "/vendor/plotly.min.js", async: true });
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => { loading = null; script.remove(); reject(new Error("the chart library could not be loaded")); });
    document.head.append(script);
  });
  return loading;
}

/** Fetch the history of the engine looked at and draw it; a round that takes long is not overtaken by the next. */
export async function loadCharts() {
  if (round) return round;
  round = fetchAndDraw().finally(() => { round = null; });
  return round;
}

let round = null;

async function fetchAndDraw() {
  const status = current()?.status;
  if (!status || document.hidden) return null;
  const engine = status.engine;
  const from = span !== null && status.as_of_ns ? `&from=${Math.max(0, Math.floor(status.as_of_ns / 1e9 - span / 1e9))}000000000` : "";
  try {
    const [data] = await Promise.all([get(`${at(engine, "history")}?series=${SERIES}&points=${POINTS}${from}`), library()]);
    if (engine !== current()?.status.engine) return setTimeout(loadCharts) && null;
    drawn = { engine, data: unpacked(data) };
    failed = "";
    note();
    for (const box of boxes) if (box.seen) paint(box);
    return data;
  } catch (error) {
    failed = error.message;
  }
  note();
  return null;
}

function note() {
  text(panel.note, failed ? `not up to date: ${failed}` : "market time, UTC");
  attr(panel.note, "data-off", failed ? "yes" : null);
}

function unpacked(data) {
  const found = data.series ?? data.columns ?? {};
  return { seq: data.seq, x: (data.ts_ns ?? []).map((ns) => ns / 1e6), fills: data.fills ?? [], market: data.market, low: data.low ?? {}, ...found };
}

/** Nothing of another engine is ever left standing. */
export function forgetCharts() {
  drawn = { engine: null, data: null };
  for (const { plot, empty, last } of boxes) {
    if (plot.data) globalThis.Plotly.purge(plot);
    empty.hidden = false;
    text(empty, "Loading…");
    text(last, "");
  }
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  return { text: read("muted"), grid: read("line-soft"), accent: read("accent"), ok: read("ok"), bad: read("bad"), amber: read("warn"), orange: read("orange"), violet: read("violet"), panel: read("panel"), ink: read("text"), line: read("line") };
}

function line(data, name, colour, scale, format, zero = false) {
  const y = (data[name] ?? []).map((value) => (value === null ? null : value * scale));
  const trace = { x: data.x, y, type: "scatter", mode: "lines", line: { color: colour, width: 1.6 }, connectgaps: false, hovertemplate: `%{y:${format}}<extra></extra>` };
  return { traces: [trace], layout: zero ? { yaxis: { zeroline: true } } : {}, y, format };
}

function equity(data, look) {
  const made = line(data, "equity", look.accent, 1, "$,.2f");
  const drop = (data.drawdown ?? []).map((value) => (value === null ? null : -value * 100));
  made.traces.unshift({ x: data.x, y: drop, yaxis: "y2", type: "scatter", mode: "lines", line: { color: look.bad, width: 1, dash: "dot" }, fill: "tozeroy", fillcolor: `${look.bad}22`, hovertemplate: "drawdown %{y:.2f} %<extra></extra>" });
  made.layout = { yaxis2: { overlaying: "y", side: "right", rangemode: "tozero", range: [Math.min(-1, ...drop.filter(Number.isFinite)) * 2.5, 0], showgrid: false, zeroline: false, tickfont: { size: 9, color: look.text }, ticksuffix: " %", nticks: 3, fixedrange: true } };
  return made;
}

function health(data, look) {
  const made = line(data, "health", look.ok, 100, ".2f");
  const lowest = (data.low.health ?? data.health ?? []).map((value) => (value === null ? null : value * 100));
  made.traces.unshift({ x: data.x, y: lowest, type: "scatter", mode: "lines", line: { color: look.text, width: 0.8, dash: "dot" }, hovertemplate: "lowest %{y:.2f} %<extra></extra>" });
  const edge = (y, color, dash) => ({ type: "line", xref: "paper", x0: 0, x1: 1, y0: y, y1: y, line: { color, width: 1, dash } });
  made.layout = { yaxis: { range: [0, 102], tickvals: [0, 20, 50, 90] }, shapes: [edge(20, look.bad, "solid"), edge(50, look.orange, "dash"), edge(90, look.amber, "dot")] };
  return made;
}

function prices(data, look) {
  const made = line(data, "price", look.ink, 1, "$,.4f");
  made.traces[0].line.width = 1.2;
  for (const [side, symbol, color] of [[1, "triangle-up", look.ok], [-1, "triangle-down", look.bad]]) {
    const fills = data.fills.filter((fill) => Math.sign(fill.base_e9) === side && fill.price_e6 !== null);
    made.traces.push({
      x: fills.map((fill) => fill.ts_ns / 1e6), y: fills.map((fill) => fill.price_e6 / 1e6), type: "scatter", mode: "markers",
      marker: { symbol, size: 9, color, line: { color: look.panel, width: 1 } },
      text: fills.map((fill) => `${side > 0 ? "bought" : "sold"} ${Math.abs(fill.base_e9) / 1e9} ${escaped(fill.market)}`), hovertemplate: "%{text} at %{y:$,.4f}<extra></extra>",
    });
  }
  return made;
}

/** Plotly takes a little markup in texts; names from outside must not be any. */
const escaped = (name) => String(name).replace(/[<>&]/g, (sign) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;" })[sign]);

function paint({ chart, box, plot, empty, last }) {
  const { data } = drawn;
  const look = colours();
  const made = chart.draw(data, look);
  const known = made.y.filter((value) => value !== null);
  empty.hidden = known.length > 0;
  text(empty, data.x.length === 0 ? "Nothing in the journal yet" : "Not known in this time");
  text(last, known.length ? show(known.at(-1), chart.id) : "");
  if (made.step) made.traces[0].line.shape = "hv";
  const axis = { gridcolor: look.grid, linecolor: look.line, zerolinecolor: look.line, tickfont: { size: 10, color: look.text }, automargin: false };
  const layout = {
    margin: { l: 56, r: chart.id === "equity" ? 46 : 12, t: 8, b: 22 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false,
    font: { family: getComputedStyle(box).fontFamily, color: look.text, size: 11 }, hovermode: "x unified", dragmode: "zoom",
    hoverlabel: { bgcolor: look.panel, bordercolor: look.line, font: { color: look.ink, size: 11 } }, uirevision: `${drawn.engine}/${span}`,
    ...made.layout, xaxis: { type: "date", ...axis, nticks: 5, tickformatstops: TICKS, hoverformat: "%Y-%m-%d %H:%M:%S", ...(data.x.length ? {} : { range: [0, 1] }) }, yaxis: { ...axis, zeroline: false, nticks: 5, tickformat: { price: ",.6~g", equity: ",.7~g", health: "d" }[chart.id] ?? ",.4~f", ...(made.layout.yaxis ?? {}) },
  };
  if (made.layout.yaxis2) layout.yaxis2 = { ...made.layout.yaxis2 };
  globalThis.Plotly.react(plot, made.traces, layout, { displaylogo: false, responsive: true, displayModeBar: false, doubleClick: "reset", scrollZoom: false });
  attr(plot, "aria-label", `${chart.title}: last ${last.textContent || "not known"}`);
  attr(plot, "role", "img");
  attr(box, "data-engine", drawn.engine);
  attr(box, "data-seq", data.seq);
}

/** The last figure of a chart, rounded as the panels round it. */
function show(value, id) {
  if (id === "health") return percent(value / 100, 1);
  const places = { equity: 2, price: 2, funding: 4, basis: 2, delta: 4 }[id];
  return `${fixed(value, 0, places)}${id === "basis" ? " bp" : ""}`;
}

export function repaint() {
  if (drawn.data && globalThis.Plotly) for (const box of boxes) if (box.seen) paint(box);
}

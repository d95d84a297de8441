// Scaled integers as people read them. What is not known is a dash with a word beside it; never a zero.

export const UNKNOWN = "—";
const DECIMALS = { e4: 4, e6: 6, e8: 8, e9: 9, e10: 10 };
const UNITS = { ms: "ms", s: "s", h: "h", slots: "slots", count: "", bps: "bp" };
const EPOCH_LIKE_NS = 1e17;
const formats = new Map();

export const known = (value) => value !== null && value !== undefined && !Number.isNaN(value);

function grouped(value, least, most) {
  const name = `${least}/${most}`;
  if (!formats.has(name)) {
    formats.set(name, new Intl.NumberFormat("en-US", { minimumFractionDigits: least, maximumFractionDigits: most }));
  }
  return formats.get(name).format(value).replace("-", "−");
}

/** A scaled integer as a figure of so many places: halves go away from zero, and no binary fraction decides them. */
const rounded = (value, decimals, places) => (Math.sign(value) * Math.round(Math.abs(value) / 10 ** (decimals - places))) / 10 ** places;

/** A scaled integer with thousands separators, rounded to some places. */
export function fixed(value, decimals, places, sign = false) {
  if (!known(value)) return UNKNOWN;
  const figure = rounded(value, decimals, places);
  return (sign && figure > 0 ? "+" : "") + grouped(figure === 0 ? 0 : figure, places, places);
}

export const money = (e6, sign = false, places = 2) => fixed(e6, 6, places, sign);

/** A price: more places the smaller it is. */
export function price(e6) {
  const size = known(e6) ? Math.abs(e6) / 1e6 : 0;
  return fixed(e6, 6, size >= 10_000 ? 1 : size >= 10 ? 2 : size >= 1 ? 4 : 6);
}

/** A base amount, without trailing zeros. */
export function amount(e9, sign = false, places = 6) {
  if (!known(e9)) return UNKNOWN;
  const figure = rounded(e9, 9, places);
  return (sign && figure > 0 ? "+" : "") + grouped(figure === 0 ? 0 : figure, 0, places);
}

/** A fraction as percent, rounded down in size so that no health looks better than it is. */
export function percent(fraction, places = 0, sign = false) {
  if (!known(fraction)) return UNKNOWN;
  const scale = 10 ** places;
  const shown = Math.trunc(Number((fraction * 100 * scale).toFixed(6))) / scale + 0;
  return `${sign && shown > 0 ? "+" : ""}${grouped(shown === 0 ? 0 : shown, places, places)} %`;
}

/** A length of time in its two largest units. */
export function duration(seconds) {
  if (!known(seconds)) return UNKNOWN;
  const whole = Math.max(0, Math.floor(seconds));
  const units = [[Math.floor(whole / 86400), "d"], [Math.floor(whole / 3600) % 24, "h"], [Math.floor(whole / 60) % 60, "m"], [whole % 60, "s"]];
  return units.filter(([count]) => count).slice(0, 2).map(([count, unit]) => `${count} ${unit}`).join(" ") || "0 s";
}

/** A short age: 0.4 s, 12 s, 3 m 5 s. */
export function age(seconds) {
  if (!known(seconds)) return UNKNOWN;
  return seconds < 60 ? `${Math.max(0, Math.floor(seconds))} s` : duration(seconds);
}

const two = (figure) => String(figure).padStart(2, "0");

/** A moment in UTC: 2026-01-01 00:00:00. */
export function moment(ns) {
  if (!ns) return UNKNOWN;
  const at = new Date(ns / 1e6);
  return `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ${clock(ns)}`;
}

/** The time of day in UTC. */
export function clock(ns) {
  if (!ns) return UNKNOWN;
  const at = new Date(ns / 1e6);
  return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A moment in UTC with its day and without its year: 3 Jan 00:54:00. */
export function dayAndTime(ns) {
  if (!ns) return UNKNOWN;
  const at = new Date(ns / 1e6);
  return `${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${clock(ns)}`;
}

/** An hour's funding as a fraction of the price; null where either is not known. */
export function hourly(fundingE9, oracleE6) {
  return known(fundingE9) && oracleE6 ? fundingE9 / 1000 / oracleE6 : null;
}

export const words = (name) => String(name).replaceAll("_", " ");

/** A figure's plain name and text by the unit in its name: ("age_ms", 20) is ["age", "20 ms"]. */
export function byName(name, value) {
  const cut = name.lastIndexOf("_");
  const stem = cut > 0 ? name.slice(0, cut) : "";
  const suffix = name.slice(cut + 1);
  const unit = stem && (suffix in DECIMALS || suffix in UNITS || suffix === "ns");
  if (!known(value)) return [words(unit ? stem : name), "not known"];
  if (!unit || typeof value !== "number") return [words(name), plain(value)];
  if (suffix in DECIMALS) return [words(stem), grouped(value / 10 ** DECIMALS[suffix], 0, Math.min(DECIMALS[suffix], 6))];
  if (suffix === "ns") return [words(stem), Math.abs(value) > EPOCH_LIKE_NS ? moment(value) : duration(value / 1e9)];
  return [words(stem), `${grouped(value, 0, 3)} ${UNITS[suffix]}`.trim()];
}

/** Any value as text. */
export function plain(value) {
  if (!known(value)) return "not known";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "number") return grouped(value, 0, Number.isInteger(value) ? 0 : 6);
  if (Array.isArray(value)) return value.map(plain).join(", ") || "none";
  if (typeof value === "object") return Object.entries(value).map(([name, inner]) => byName(name, inner).join(" ")).join(", ") || "none";
  return String(value) || "none";
}

/** A metric's value with its unit. */
export function metric(value, unit) {
  if (!known(value)) return UNKNOWN;
  if (unit === "fraction") return percent(value, 2);
  const shown = typeof value === "number" ? grouped(value, 0, Math.abs(value) >= 1000 ? 2 : 6) : plain(value);
  return unit ? `${shown} ${unit === "USD" || unit === "quote" ? "USD" : unit}` : shown;
}

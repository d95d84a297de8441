// The words, icons and tones of every state, in one place. A state is told by its word and its icon; colour comes third.

/** What an engine's status is shown as. */
export const STATUS = {
  STOPPED: { icon: "square", tone: "grey" },
  STARTING: { icon: "wait", tone: "info" },
  RUNNING: { icon: "play", tone: "ok" },
  STOPPING: { icon: "wait", tone: "info" },
  ERROR: { icon: "bad", tone: "bad" },
  EMERGENCY: { icon: "bad", tone: "solid" },
  STALE: { icon: "stale", tone: "hatch" },
};

/** What the engine may do. */
export const TRADING = {
  ACTIVE: { icon: "ok", tone: "ok" },
  REDUCING: { icon: "reduce", tone: "warn" },
  HALTED: { icon: "halt", tone: "solid" },
};

export const SEVERITY = {
  CRITICAL: { icon: "bad", tone: "bad", rank: 0 },
  WARNING: { icon: "warn", tone: "warn", rank: 1 },
  INFO: { icon: "info", tone: "info", rank: 2 },
};

const ZONES = [
  { least: 0.9, level: "safe", label: "Safe", icon: "ok" },
  { least: 0.5, level: "used", label: "Initial margin in use", icon: "warn" },
  { least: 0.2, level: "risk", label: "At risk", icon: "warn" },
  { least: -Infinity, level: "danger", label: "Liquidation risk", icon: "bad" },
];
const NO_COLLATERAL = { level: "empty", label: "No collateral", icon: "dash" };
const NO_DATA = { level: "unknown", label: "No data", icon: "unknown" };

/** Which zone a health is in. A figure that is not known, or not there, is in none of them. */
export function zone(margin) {
  const health = healthOf(margin);
  if (health !== null && margin.collateral_e6 === 0 && margin.maintenance_e6 === 0) return NO_COLLATERAL;
  return health === null ? NO_DATA : ZONES.find((found) => health >= found.least);
}

/** Health where it is known: a number, and never one made up. */
export function healthOf(margin) {
  if (!margin || margin.status === "unknown") return null;
  return typeof margin.health === "number" && Number.isFinite(margin.health) ? margin.health : null;
}

/** Whether a row is the account's own money: a balance of the settlement token, worth its face value, traded nowhere. */
export function isCash(row, status) {
  return row.kind === "spot" && row.oracle_e6 === 1_000_000 && !(row.market in (status.markets ?? {}));
}

/** What is open: perps and spot balances that are not the account's own money. */
export function openRows(status) {
  return (status?.positions ?? []).filter((row) => (row.base_e9 || row.unsettled_e6) && !isCash(row, status));
}

/** How leveraged. */
export function leverageLevel(leverage) {
  if (leverage === null || leverage === undefined) return "none";
  return leverage < 3 ? "low" : leverage < 5 ? "mid" : "high";
}

/** The one state that matters most of an engine, for its tab. */
export function summary(status, stale) {
  if (stale && status.status !== "STOPPED") return { key: "stale", word: "STALE", icon: "stale" };
  if (status.status === "ERROR") return { key: "error", word: "ERROR", icon: "bad" };
  if (status.status === "EMERGENCY") return { key: "emergency", word: "CLOSING", icon: "bad" };
  if (status.trading === "HALTED") return { key: "halted", word: "HALTED", icon: "halt" };
  if (status.status === "STOPPED") return { key: "stopped", word: "STOPPED", icon: "square" };
  if (status.status !== "RUNNING") return { key: "between", word: status.status, icon: "wait" };
  if (status.trading === "REDUCING") return { key: "reducing", word: "REDUCING", icon: "reduce" };
  return null;
}

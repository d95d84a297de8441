// What the page knows: the last status of every engine and when it came, the stream's state, the lock. Panels are told
// on the next frame, together, and draw from here only. The wall clock of this machine is never compared with the
// server's: ages are the server's own difference plus the time since it reached us.

const now = () => performance.now() / 1000;

export const STALE_S = 3;

export const store = {
  engines: new Map(),
  order: [],
  selected: null,
  loaded: false,
  failed: "",
  conn: { state: "connecting", since: now(), retry: 0 },
  locked: true,
  alerts: [],
  opportunities: null,
  strategies: {},
  logs: new Map(),
  decisions: new Map(),
};

const listeners = [];
let asked = false;

/** Call a panel whenever something changed, at most once a frame. Its `root` says of which engine and seq it is. */
export function watch(listener, root = null) {
  listeners.push([listener, root]);
}

function stamp(root) {
  const status = current()?.status;
  for (const [name, value] of [["engine", status?.engine], ["seq", status?.seq]]) {
    const shown = String(value ?? "");
    if (root.dataset[name] !== shown) root.dataset[name] = shown;
  }
}

/** Ask for a drawing of what is known now. */
export function changed() {
  if (asked) return;
  asked = true;
  setTimeout(() => {
    asked = false;
    for (const [listener, root] of listeners) {
      try {
        listener(store);
        if (root) stamp(root);
      } catch (error) { console.error(error); }
    }
  }, 40);
}

/** Take an engine's status. One of an older seq of the same process is left aside. */
export function take(status) {
  const held = store.engines.get(status.engine);
  if (held && held.status.pid === status.pid && older(status, held.status)) return;
  const heard = typeof status.heard_ns === "number" && typeof status.wall_ns === "number";
  const behind = heard ? Math.max(0, (status.wall_ns - status.heard_ns) / 1e9) : 0;
  store.engines.set(status.engine, { status, behind, at: now() });
  if (!store.order.includes(status.engine)) store.order.push(status.engine);
  store.selected ??= status.engine;
  changed();
}

function older(one, other) {
  return typeof one.wall_ns === "number" && typeof other.wall_ns === "number" && one.wall_ns < other.wall_ns;
}

/** Replace what is known of all engines; those that are gone go. */
export function takeAll(statuses) {
  const names = statuses.map((status) => status.engine);
  for (const name of store.order.filter((name) => !names.includes(name))) store.engines.delete(name);
  store.order = names;
  if (!names.includes(store.selected)) store.selected = names[0] ?? null;
  statuses.forEach(take);
  store.loaded = true;
  store.failed = "";
  changed();
}

/** How old an engine's figures are, in seconds: as the manager knows it, and since we were told. */
export function ageOf(held) {
  return held.behind + now() - held.at;
}

/** Whether an engine's figures may still be trusted to be now. */
export function isStale(held) {
  if (held.status.status === "STALE") return true;
  return ["RUNNING", "EMERGENCY"].includes(held.status.status) && ageOf(held) > STALE_S;
}

/** The engine looked at, or null. */
export function current() {
  const held = store.engines.get(store.selected);
  return held ?? null;
}

export function select(name) {
  if (store.selected === name) return;
  store.selected = name;
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  changed();
}

export function setConn(state, retry = 0) {
  store.conn = { state, since: store.conn.state === state ? store.conn.since : now(), retry };
  changed();
}

/** Add to a bounded list of an engine. */
export function push(map, engine, item, limit) {
  const list = map.get(engine) ?? [];
  list.push(item);
  if (list.length > limit) list.splice(0, list.length - limit);
  map.set(engine, list);
  changed();
}

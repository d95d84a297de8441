// The stream: kept open, watched, opened again with growing pauses. After every opening and every gap the page asks for
// everything once more, so that it never goes on from half a story.

import { setConn } from "./store.js";

const SILENT_MS = 8000;
const LONGEST_MS = 15000;

export class Stream {
  constructor(path, handlers, resync) {
    Object.assign(this, { path, handlers, resync, tries: 0, source: null, timer: 0, watchdog: 0 });
  }

  open() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = new EventSource(this.path);
    this.source.onopen = () => this.opened();
    this.source.onerror = () => this.lost();
    for (const [kind, handler] of Object.entries(this.handlers)) {
      this.source.addEventListener(kind, (message) => this.heard(kind, message, handler));
    }
    this.source.addEventListener("ping", () => this.alive());
    this.source.addEventListener("gap", () => this.gap());
    this.alive();
  }

  async opened() {
    const source = this.source;
    this.alive();
    const ok = await this.resync();
    if (source !== this.source) return;
    if (ok) {
      this.tries = 0;
      setConn("live");
    } else this.lost();
  }

  heard(kind, message, handler) {
    this.alive();
    let data;
    try { data = JSON.parse(message.data); } catch { console.error(`stream: ${kind} is no JSON`); return; }
    handler(data);
  }

  alive() {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.lost(), SILENT_MS);
  }

  async gap() {
    this.alive();
    setConn("resync");
    if (await this.resync()) {
      if (this.source?.readyState === EventSource.OPEN) setConn("live");
    } else this.lost();
  }

  /** Let go of the connection: a browser has only six for a server, and a page nobody sees should hold none. */
  close() {
    clearTimeout(this.watchdog);
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    setConn("paused");
  }

  lost() {
    clearTimeout(this.watchdog);
    clearTimeout(this.timer);
    this.source?.close();
    const pause = Math.min(LONGEST_MS, 500 * 2 ** this.tries) * (0.75 + Math.random() / 2);
    this.tries += 1;
    setConn("lost", performance.now() / 1000 + pause / 1000);
    this.timer = setTimeout(() => { setConn("connecting"); this.open(); }, pause);
  }
}

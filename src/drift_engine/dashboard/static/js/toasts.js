// Short messages about what was just asked for. They lie over the page and move nothing.

import { h, icon } from "./dom.js";

const shelf = document.getElementById("toasts");
const LOOKS = { ok: "ok", error: "bad", info: "info" };

export function toast(kind, title, message = "") {
  const node = h("div", { class: "toast", "data-kind": kind, role: kind === "error" ? "alert" : null },
    icon(LOOKS[kind]), h("div", {}, h("b", {}, title), message ? h("p", {}, message) : null),
    h("button", { type: "button", class: "ghost square", "aria-label": "Dismiss", onclick: () => node.remove() }, icon("close")));
  shelf.append(node);
  while (shelf.children.length > 4) shelf.firstElementChild.remove();
  setTimeout(() => node.remove(), kind === "error" ? 12000 : 5000);
}

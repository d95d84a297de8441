// The few ways in which this page touches the document. Text is always set as text, never as markup, and only where it
// changed: nothing is drawn again that looks the same, so nothing flickers and the focus stays where it was.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: h("td", {class: "num", onclick: f}, "text", child). */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name === "className" ? "class" : name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Make an SVG element. */
export function s(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Make an icon of the sprite. */
export function icon(name) {
  return s("svg", { class: "ic", "aria-hidden": "true", "data-icon": name }, s("use", { href: `/static/icons.svg#${name}` }));
}

/** Point an icon at another symbol. */
export function setIcon(svg, name) {
  if (!svg || svg.dataset.icon === name) return;
  svg.dataset.icon = name;
  svg.firstElementChild.setAttribute("href", `/static/icons.svg#${name}`);
}

/** Set a node's text in place. */
export function text(node, value) {
  const shown = value === null || value === undefined ? "" : String(value);
  if (!node || node.textContent === shown) return;
  if (node.childNodes.length === 1 && node.firstChild.nodeType === Node.TEXT_NODE) node.firstChild.data = shown;
  else node.textContent = shown;
}

/** Set an attribute where it differs; null takes it away. */
export function attr(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
    return;
  }
  const shown = value === true ? "" : String(value);
  if (node.getAttribute(name) !== shown) node.setAttribute(name, shown);
}

/** Find the parts of a panel that are named with data-f. */
export function parts(id) {
  const root = document.getElementById(id);
  const found = { root };
  for (const node of root.querySelectorAll("[data-f]")) found[node.dataset.f] = node;
  return found;
}

/** Keep a list of children in step with items, by key: rows are made once, filled in place, moved only when needed. */
export function keyed(parent, items, key, make, fill) {
  const old = parent.keyedRows ?? new Map();
  const rows = new Map();
  let at = null;
  for (const item of items) {
    const name = key(item);
    const row = old.get(name) ?? make(item);
    old.delete(name);
    rows.set(name, row);
    const next = at === null ? parent.firstChild : at.nextSibling;
    if (next !== row) parent.insertBefore(row, next);
    fill(row, item);
    at = row;
  }
  while (at === null ? parent.firstChild : at.nextSibling) (at === null ? parent.firstChild : at.nextSibling).remove();
  parent.keyedRows = rows;
}

/** Show a figure with the sign told by class and by its own text. */
export function signed(node, value, shown) {
  text(node, shown);
  attr(node, "data-sign", value === null || value === undefined ? "none" : !/[1-9]/.test(shown) ? "zero" : value > 0 ? "plus" : value < 0 ? "minus" : "zero");
}

// Questions to the person: one native dialog, so that focus is kept inside and Escape always means no.
// A dialog tells that it closed a moment later, when the next question may stand there already: that is no answer to it.

import { attr, h, icon, text } from "./dom.js";

const dialog = document.getElementById("dialog");
let answer = null;

dialog.addEventListener("close", () => {
  if (dialog.open) return;
  settle(dialog.returnValue);
});

function settle(value) {
  const told = answer;
  answer = null;
  told?.(value);
}

/** Fill and open the dialog; resolves when it closes. */
export function show(title, body, buttons, tone = "") {
  if (dialog.open) dialog.close("");
  settle("");
  attr(dialog, "data-tone", tone);
  const form = h("form", { method: "dialog" }, h("h2", { id: "dialog-title" }, title), ...body, h("div", { class: "buttons end" }, ...buttons));
  dialog.replaceChildren(form);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => { answer = resolve; });
}

export const hide = () => dialog.close("");
export const isOpen = () => dialog.open;

/** The way out. It is no submit button: Enter in a field must not take it for the answer. */
export const no = () => h("button", { type: "button", value: "", class: "ghost", onclick: () => dialog.close("") }, "Cancel");

/** Ask yes or no. With `typed`, yes takes the exact words. */
export async function confirmed({ title, lines, yes, tone = "", typed = "" }) {
  const sure = h("button", { type: "submit", value: "yes", class: tone === "danger" ? "danger solid" : "primary" }, yes);
  const body = lines.map((line) => h("p", {}, line));
  if (typed) {
    const field = h("input", { id: "typed", type: "text", autocomplete: "off", spellcheck: "false", autofocus: true, class: "num" });
    sure.disabled = true;
    field.addEventListener("input", () => { sure.disabled = field.value.trim() !== typed; });
    body.push(h("label", { for: "typed" }, "Type ", h("code", {}, typed), " to go on"), field);
  }
  return (await show(title, body, [no(), sure], tone)) === "yes";
}

/** Ask for an amount; "" where the person gives up. */
export async function askAmount({ title, lines, label, yes }) {
  const field = h("input", { id: "amount", type: "text", inputmode: "decimal", autocomplete: "off", spellcheck: "false", autofocus: true, class: "num" });
  const sure = h("button", { type: "submit", value: "yes", class: "primary", disabled: true }, yes);
  const figure = () => field.value.trim().replaceAll(",", "");
  field.addEventListener("input", () => { sure.disabled = !/^\d{1,12}(\.\d{1,6})?$/.test(figure()) || !Number(figure()); });
  const body = [...lines.map((line) => h("p", {}, line)), h("label", { for: "amount" }, label), field];
  return (await show(title, body, [no(), sure])) === "yes" ? figure() : "";
}

/** Ask for the token. `send` tries it and returns what is wrong, or "". */
export async function askToken(why, send) {
  const field = h("input", { id: "token", type: "password", autocomplete: "off", spellcheck: "false", autofocus: true, class: "num", required: true });
  const wrong = h("p", { class: "wrong", role: "alert" });
  const sure = h("button", { type: "submit", class: "primary", id: "unlock" }, "Unlock");
  let done = false;
  const shown = show("Unlock the controls", [
    h("p", {}, why || "The page only reads until it is unlocked."),
    h("label", { for: "token" }, "Token, as the server printed it; it is also in the file token of its state folder"), field, wrong,
  ], [no(), sure]);
  const form = dialog.firstElementChild;
  form.addEventListener("submit", async (event) => {
    if (event.submitter !== sure) return;
    event.preventDefault();
    sure.disabled = true;
    text(wrong, "");
    const said = await send(field.value.trim());
    sure.disabled = false;
    if (said) {
      wrong.replaceChildren(icon("bad"), said);
      field.select();
    } else if (form.isConnected && dialog.open) {
      done = true;
      dialog.close("yes");
    }
  });
  await shown;
  return done;
}

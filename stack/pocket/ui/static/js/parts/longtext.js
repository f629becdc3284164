// Texts of any length: some lines of a long one, the rest on demand. What is copied is the whole, as it was
// sent.

import { h, put } from "../core/dom.js";
import { count } from "../core/format.js";

const LETTERS = 400;
const LINES = 12;
const SAID_MS = 1500;

/** `drawn` (the text itself, if nothing is given) as it is, or folded with a button to show all of it. */
export function long(text, drawn = text) {
  if (text.length <= LETTERS && text.split("\n", LINES + 1).length <= LINES) return drawn;
  const body = h("div", { class: "long folded" }, drawn);
  const button = h("button", {
    type: "button",
    class: "button slim",
    "aria-expanded": "false",
    onclick: () => show(body.classList.contains("folded")),
  });
  const show = (all) => {
    body.classList.toggle("folded", !all);
    button.setAttribute("aria-expanded", String(all));
    put(button, all ? "Show less" : `Show all ${count(text.length, "character")}`);
  };
  show(false);
  return [body, h("div", { class: "toolbar" }, button, copyButton("Copy", text))];
}

/** Puts the text into the clipboard and says so, or that the browser does not allow it. */
export function copyButton(label, text) {
  const button = h("button", { type: "button", class: "button slim", onclick: copy }, label);
  async function copy() {
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    put(button, done ? "Copied" : "Not allowed here");
    setTimeout(() => put(button, label), SAID_MS);
  }
  return button;
}

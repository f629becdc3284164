// What a panel shows when there is nothing, nothing yet, or no answer: always words, never a blank.

import { h, icon } from "../core/dom.js";

export const loading = () => h("div", { class: "skeleton", role: "status", "aria-label": "Loading" });

/** The backend's own text. */
export function failed(error) {
  return h("div", { class: "state error", role: "alert" }, icon("warning", 22),
    h("b", {}, error.source ? `${error.source} refused the query` : "Something went wrong"),
    h("pre", {}, error.message ?? String(error)));
}

/** `code` in backticks becomes <code>. */
export function empty(message, hint) {
  return h("div", { class: "state" }, icon("empty", 26), h("b", {}, message), hint && h("span", {}, coded(hint)));
}

export function unavailable(message) {
  return h("div", { class: "state" }, icon("info", 22), h("b", {}, "Not available here"), h("span", {}, coded(message)));
}

export function coded(text) {
  return text.split(/`([^`]*)`/).map((part, i) => (i % 2 ? h("code", {}, part) : part));
}

/** The hint that gets data moving, for the stage that runs. */
export const trafficHint = ({ stage }) => `Run \`make traffic STAGE=${stage ?? 1}\`, then refresh.`;

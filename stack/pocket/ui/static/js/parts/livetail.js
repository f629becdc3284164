// The switch that follows the log, and what it is doing at the moment.

import { follow } from "../api/lokitail.js";
import { h, icon, put } from "../core/dom.js";
import { legible } from "../core/text.js";

const STATES = {
  connecting: ["Connecting…", "muted", "Opening the live tail"],
  live: ["Live", "ok", "Lines arrive as Loki receives them, over a WebSocket"],
  polling: [
    "Every 2 s",
    "warning",
    "WebSockets do not work here: Loki is asked every two seconds instead",
  ],
  waiting: ["Reconnecting…", "warning", "Loki does not answer; trying again until it does"],
  refused: ["Stopped", "error", "Loki refused the query"],
};

/**
 * `{element, isOn, restart(), stop()}`; `query()` and `since()` (ms) say what is followed, `onLines` gets new
 * lines.
 */
export function liveTail({ query, since, onLines }) {
  const state = h("span", { class: "pill live-state", role: "status", hidden: true });
  const button = h("button", { class: "button slim", "aria-pressed": "false", onclick: () => set(!isOn()) });
  const isOn = () => button.getAttribute("aria-pressed") === "true";
  let end;

  function show(name, words) {
    const [text, look, help] = STATES[name];
    state.hidden = false;
    state.className = `pill live-state ${look}`;
    state.title = legible(words ? `${help}: ${words}` : help);
    state.dataset.state = name;
    put(state, text);
    if (name === "refused") press(false);
  }
  function press(on) {
    button.setAttribute("aria-pressed", String(on));
    put(button, icon(on ? "pause" : "play", 13), on ? "Pause" : "Live");
    button.title = on ? "Stop following the log" : "Follow the log";
  }
  function set(on) {
    end?.();
    end = undefined;
    press(on);
    state.hidden = !on;
    if (on) end = follow(query(), since(), { onLines, onState: show });
  }
  press(false);
  return {
    element: h("span", { class: "toolbar" }, state, button),
    isOn,
    restart: () => isOn() && set(true),
    stop: () => set(false),
  };
}

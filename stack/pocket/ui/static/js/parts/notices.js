// What goes wrong beneath all views: a full disk, log lines that wait in memory or are lost. Asked for by
// itself.

import { ask } from "../api/http.js";
import { h, icon, put } from "../core/dom.js";

const EVERY_MS = 10000;
const LOW_BYTES = 16 * 2 ** 20; // PostgreSQL's next WAL segment takes as much

const lines = (count) => `${count.toLocaleString("en")} log line${count === 1 ? "" : "s"}`;

/** The sentences for an answer of /api/workshop/losses; none when all is well. */
export function sentences({ free_bytes: free, services }) {
  const found = [];
  if (free !== null && free < LOW_BYTES) {
    const left = free < 2 ** 20
      ? "The disk is full"
      : `${Math.floor(free / 2 ** 20)} MB are left on the disk`;
    found.push(`${left}: make room, or telemetry, log lines and usage events will be lost.`);
  }
  for (const { name, waiting, lost, fault } of services) {
    if (waiting) found.push(`${name}: ${lines(waiting)} in memory, not in the log${fault && ` (${fault})`}.`);
    if (lost) found.push(`${name}: ${lines(lost)} lost, as the log could not be written for too long.`);
  }
  return found;
}

/** An element that shows them while there are any; closed, it comes back when there is more to say. */
export function notices() {
  const element = h("aside", { id: "notices", role: "status", hidden: true });
  let closed = 0;

  function show(found) {
    element.hidden = found.length <= closed;
    if (!found.length) closed = 0;
    const close = () => {
      closed = found.length;
      element.hidden = true;
    };
    put(
      element,
      icon("warning"),
      h("div", {}, found.map((text) => h("p", {}, text))),
      h(
        "button",
        { class: "button bare", title: "Close", "aria-label": "Close", onclick: close },
        icon("cross", 14),
      ),
    );
  }

  async function look() {
    if (document.hidden) return;
    try {
      show(sentences(await ask("/api/workshop/losses", { source: "The workshop UI" })));
    } catch {
      // Out of reach: the views say so.
    }
  }
  look();
  setInterval(look, EVERY_MS);
  return element;
}

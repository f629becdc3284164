// Where a span's details stand: beside the waterfall where there is room, else a sheet at the foot of the
// window, so that they are in sight wherever the chosen row is. One line of the sheet stays when it is
// closed.

import { h, icon, put, title } from "../core/dom.js";
import { duration } from "../core/format.js";

/** `{element, show(span, nodes), open(on)}`; beside the waterfall, `open` changes nothing. */
export function spanSheet() {
  const label = h("span", { class: "peek clipped" });
  const handle = h(
    "button",
    { type: "button", class: "handle", "aria-expanded": "false", "aria-controls": "span-details" },
    icon("chevron", 16),
    label,
    h("span", { class: "words" }, "Close the details"),
  );
  const content = h("div", { class: "content", id: "span-details" });
  const element = h("aside", { class: "card details", "aria-label": "Span details" }, handle, content);
  const isOpen = () => element.classList.contains("open");
  const open = (on) => {
    element.classList.toggle("open", on);
    handle.setAttribute("aria-expanded", String(on));
  };
  handle.addEventListener("click", () => open(!isOpen()));
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen()) return;
    open(false);
    handle.focus();
  });
  return {
    element,
    open,
    show(span, nodes) {
      put(
        label,
        title(span.name),
        " ",
        h("span", { class: "muted" }, title(span.service, "(no service)"), ` · ${duration(span.duration)}`),
      );
      handle.classList.toggle("error", span.error);
      put(content, nodes);
      content.scrollTop = element.scrollTop = 0;
    },
  };
}

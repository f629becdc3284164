// One floating box for hints that follow pointer or focus.

import { h, put } from "../core/dom.js";

let box;

function show(content, x, y) {
  if (!box) {
    box = h("div", { class: "tooltip", role: "tooltip" });
    document.body.append(box);
  }
  put(box, ...content);
  box.hidden = false;
  const { width, height } = box.getBoundingClientRect();
  box.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 8))}px`;
  box.style.top = `${y + 18 + height > innerHeight ? Math.max(4, y - height - 10) : y + 18}px`;
}

export function showAt(event, ...content) {
  show(content, event.clientX, event.clientY);
}

export function hide() {
  if (box) box.hidden = true;
}

/** Shows what `content()` returns while the element is hovered or focused. */
export function tip(element, content) {
  element.addEventListener("pointerenter", (event) => show(content(), event.clientX, event.clientY));
  element.addEventListener("pointerleave", hide);
  element.addEventListener("focus", () => {
    const { left, bottom } = element.getBoundingClientRect();
    show(content(), left, bottom - 12);
  });
  element.addEventListener("blur", hide);
  element.addEventListener("click", hide);
}
addEventListener("hashchange", hide);

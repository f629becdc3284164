// A query line: Enter runs, history and examples at hand, completion where the view offers it.

import { h, icon, put } from "../core/dom.js";
import { history, remember } from "../core/memory.js";

/**
 * `{element, value, set(text), focus()}`. `examples` are `[label, query]`; `complete(word)` gives suggestions
 * `[{text, type, help}]` for the word before the caret.
 */
export function queryBox({ kind, label, placeholder, examples = [], complete, onRun }) {
  const input = h("textarea", { rows: 1, spellcheck: "false", autocomplete: "off", autocapitalize: "off", placeholder, "aria-label": label });
  const list = h("div", { class: "suggestions", role: "listbox", hidden: true });
  const past = historyMenu(kind, (query) => run(query));
  const run = (query) => {
    if (query !== undefined) input.value = query;
    list.hidden = true;
    grow();
    remember(kind, input.value.trim());
    onRun(input.value.trim());
  };
  const grow = () => {
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight + 2}px`;
  };
  const suggest = suggestions(input, list, complete, grow);
  input.addEventListener("input", () => {
    grow();
    suggest.show();
  });
  input.addEventListener("blur", () => setTimeout(() => (list.hidden = true), 150));
  input.addEventListener("keydown", (event) => {
    if (suggest.key(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      run();
    }
  });
  const row = h("form", { class: "query", onsubmit: (event) => (event.preventDefault(), run()) },
    h("div", { class: "input" }, input, list), past, h("button", { class: "button primary" }, icon("play", 14), "Run"));
  const chips = examples.length > 0 && h("div", { class: "examples" }, "Try", examples.map(([text, query]) => h("button", { type: "button", class: "chip", title: query, onclick: () => run(query) }, text)));
  return {
    element: h("div", { class: "stack", style: { gap: "8px" } }, row, chips),
    get value() {
      return input.value.trim();
    },
    set(text) {
      if (input.value.trim() === text) return;
      input.value = text;
      requestAnimationFrame(grow);
    },
    focus: () => input.focus(),
  };
}

function historyMenu(kind, choose) {
  const panel = h("div", { class: "popover", hidden: true, style: { width: "460px" } });
  const button = h("button", { type: "button", class: "button", title: "Earlier queries", "aria-label": "Earlier queries", "aria-expanded": "false" }, icon("clock", 16));
  const menu = h("div", { class: "menu" }, button, panel);
  const open = (shown) => {
    panel.hidden = !shown;
    button.setAttribute("aria-expanded", String(shown));
    if (!shown) return;
    const items = history(kind);
    put(panel, items.length ? items.map((query) => h("button", { type: "button", class: "option mono", onclick: () => (open(false), choose(query)) }, query)) : h("p", { class: "muted small" }, "No earlier queries yet"));
  };
  button.addEventListener("click", () => open(panel.hidden));
  menu.addEventListener("keydown", (event) => event.key === "Escape" && open(false));
  document.addEventListener("pointerdown", (event) => !menu.contains(event.target) && open(false));
  return menu;
}

/** The list under the box: arrow keys choose, Tab or Enter takes. */
function suggestions(input, list, complete, grow) {
  let items = [];
  let active = -1;
  const word = () => /[A-Za-z_:][\w:]*$/.exec(input.value.slice(0, input.selectionStart))?.[0] ?? "";
  const draw = () => {
    list.hidden = !items.length;
    put(list, items.map((item, i) => h("button", { type: "button", class: "option", role: "option", tabindex: "-1", "aria-selected": String(i === active), onpointerdown: (event) => (event.preventDefault(), take(i)) },
      h("span", { class: "mono" }, item.text), item.type ? h("span", { class: "tag" }, item.type) : h("span"), h("span", {}, item.help ?? ""))));
    list.children[active]?.scrollIntoView({ block: "nearest" });
  };
  const take = (i) => {
    const start = input.selectionStart - word().length;
    input.setRangeText(items[i].text, start, input.selectionStart, "end");
    items = [];
    draw();
    grow();
  };
  return {
    show() {
      const text = word();
      items = complete && text.length > 1 ? complete(text).slice(0, 30) : [];
      if (items.length === 1 && items[0].text === text) items = [];
      active = -1;
      draw();
    },
    key(event) {
      if (list.hidden) return false;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") active = (active + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length;
      else if ((event.key === "Enter" && active >= 0) || event.key === "Tab") take(Math.max(active, 0));
      else if (event.key === "Escape") items = [];
      else return false;
      event.preventDefault();
      draw();
      return true;
    },
  };
}

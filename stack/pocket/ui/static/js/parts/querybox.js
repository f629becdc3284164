// A query line: Enter runs, Escape returns to what was run; history and examples at hand, completion where
// offered.

import { h, icon, put } from "../core/dom.js";
import { history, remember } from "../core/queryhistory.js";

/**
 * `{element, set(text)}`: `set` says which query runs. The same one again, as at a refresh, leaves the box to
 * whoever types in it. `examples` are `[label, query]`; `complete(word)` gives suggestions `[{text, type,
 * help}]` for the word before the caret.
 * @param {{ kind: string, label: string, placeholder?: string, examples?: string[][],
 *   complete?: (word: string) => any[], onRun: (query: string) => void }} options
 */
export function queryBox({ kind, label, placeholder, examples = [], complete, onRun }) {
  const input = h("textarea", {
    rows: 1,
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "off",
    placeholder,
    "aria-label": label,
  });
  const list = h("div", { class: "suggestions", role: "listbox", hidden: true });
  const past = historyMenu(kind, (query) => run(query));
  let ran;
  const note = h(
    "span",
    { class: "edited", role: "status", hidden: true },
    "edited, not run",
    h("button", {
      type: "button",
      class: "button bare slim",
      title: "Back to the query that was run (Esc)",
      onclick: () => (restore(), input.focus()),
    }, "Restore"),
  );
  const isEdited = () => ran !== undefined && input.value.trim() !== ran;
  const changed = () => {
    note.hidden = !isEdited();
    grow();
  };
  const show = (query) => {
    // more than a word: found again there
    if (isEdited() && /\W/.test(input.value.trim())) remember(kind, input.value.trim());
    ran = query;
    input.value = query;
    list.hidden = true;
    changed();
  };
  const restore = () => show(ran);
  const run = (query = input.value.trim()) => {
    if (query !== input.value.trim()) show(query);
    ran = query;
    list.hidden = true;
    changed();
    remember(kind, query);
    onRun(query);
  };
  const grow = () => {
    input.style.height = "auto";
    input.style.height = `${input.scrollHeight + 2}px`;
  };
  const suggest = suggestions(input, list, complete, changed);
  input.addEventListener("input", () => {
    changed();
    suggest.show();
  });
  input.addEventListener("blur", () => setTimeout(() => (list.hidden = true), 150));
  input.addEventListener("keydown", (event) => {
    if (suggest.key(event)) return;
    if (event.key === "Escape" && isEdited()) restore();
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) run();
    else return;
    event.preventDefault();
  });
  const row = h(
    "form",
    { class: "query", onsubmit: (event) => (event.preventDefault(), run()) },
    h("div", { class: "input" }, input, list),
    note,
    past,
    h("button", { class: "button primary" }, icon("play", 14), "Run"),
  );
  const chips = examples.length > 0 &&
    h(
      "div",
      { class: "examples" },
      "Try",
      examples.map(([text, query]) =>
        h("button", { type: "button", class: "chip", title: query, onclick: () => run(query) }, text)
      ),
    );
  return {
    element: h("div", { class: "stack", style: { gap: "8px" } }, row, chips),
    set(text) {
      if (text === ran) return;
      show(text);
      requestAnimationFrame(grow); // once it is in the page, and has a height
    },
  };
}

function historyMenu(kind, choose) {
  const panel = h("div", { class: "popover", hidden: true, style: { width: "460px" } });
  const button = h("button", {
    type: "button",
    class: "button",
    title: "Earlier queries",
    "aria-label": "Earlier queries",
    "aria-expanded": "false",
  }, icon("clock", 16));
  const menu = h("div", { class: "menu" }, button, panel);
  const open = (shown) => {
    panel.hidden = !shown;
    button.setAttribute("aria-expanded", String(shown));
    if (!shown) return;
    const items = history(kind);
    put(
      panel,
      items.length
        ? items.map((query) =>
          h(
            "button",
            { type: "button", class: "option mono", onclick: () => (open(false), choose(query)) },
            query,
          )
        )
        : h("p", { class: "muted small" }, "No earlier queries yet"),
    );
  };
  button.addEventListener("click", () => open(panel.hidden));
  menu.addEventListener("keydown", (event) => event.key === "Escape" && open(false));
  document.addEventListener(
    "pointerdown",
    ({ target }) => !(target instanceof Node && menu.contains(target)) && open(false),
  );
  return menu;
}

/** The list under the box: arrow keys choose, Tab or Enter takes. */
function suggestions(input, list, complete, changed) {
  let items = [];
  let active = -1;
  const word = () => /[A-Za-z_:][\w:]*$/.exec(input.value.slice(0, input.selectionStart))?.[0] ?? "";
  const draw = () => {
    list.hidden = !items.length;
    put(
      list,
      items.map((item, i) =>
        h(
          "button",
          {
            type: "button",
            class: "option",
            role: "option",
            tabindex: "-1",
            "aria-selected": String(i === active),
            onpointerdown: (event) => (event.preventDefault(), take(i)),
          },
          h("span", { class: "mono" }, item.text),
          item.type ? h("span", { class: "tag" }, item.type) : h("span"),
          h("span", {}, item.help ?? ""),
        )
      ),
    );
    list.children[active]?.scrollIntoView({ block: "nearest" });
  };
  const take = (i) => {
    const start = input.selectionStart - word().length;
    input.setRangeText(items[i].text, start, input.selectionStart, "end");
    items = [];
    draw();
    changed();
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
      if (list.hidden || event.ctrlKey || event.metaKey) return false;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        active = (active + (event.key === "ArrowDown" ? 1 : -1) + items.length) % items.length;
      } else if ((event.key === "Enter" && active >= 0) || event.key === "Tab") take(Math.max(active, 0));
      else if (event.key === "Escape") items = [];
      else return false;
      event.preventDefault();
      draw();
      return true;
    },
  };
}

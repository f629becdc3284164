// A flame graph on a canvas: width is time, depth is the call stack. A click zooms, the tooltip tells, search
// lights up.

import { h, title } from "../core/dom.js";
import { duration, format } from "../core/format.js";
import { legible, named } from "../core/text.js";
import * as theme from "../core/theme.js";
import { hide, showAt } from "../parts/tooltip.js";

const ROW = 21;
const LIT = "#ffd633"; // dark text reads on it in either theme

/**
 * `{element, draw(flame), search(text), zoom(frame)}` with a flame as api/pyroscope.js decodes it.
 * @param {{ onSelect?: (frame: any) => void }} [options]
 */
export function flameGraph({ onSelect } = {}) {
  const canvas = h("canvas", { tabindex: "0", role: "img" });
  const element = h("div", { class: "flame" }, canvas);
  /** @type {{ total: number, levels: any[][] }} */
  let flame = { total: 0, levels: [] };
  let focus; // the frame zoomed into
  let chosen; // the frame the keyboard is at
  let needle = "";

  const view = () => (focus ? [focus.x, focus.x + focus.total] : [0, flame.total || 1]);
  const paint = () => {
    const width = element.clientWidth;
    if (!width) return;
    const ratio = devicePixelRatio || 1;
    const height = flame.levels.length * ROW + 2;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    if (!pen) return;
    pen.scale(ratio, ratio);
    pen.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    pen.textBaseline = "middle";
    const [from, to] = view();
    const scale = width / (to - from);
    for (const level of flame.levels) {
      for (const frame of level) {
        drawFrame(pen, frame, (frame.x - from) * scale, frame.total * scale, width);
      }
    }
  };

  function drawFrame(pen, frame, x, wide, width) {
    const left = Math.max(0, x);
    const right = Math.min(width, x + wide);
    if (right - left < 0.4) return;
    const lit = needle && frame.name.toLowerCase().includes(needle);
    const above = focus && frame.depth < focus.depth;
    pen.globalAlpha = (needle && !lit) || above ? 0.45 : 1;
    pen.fillStyle = lit ? LIT : frame.depth ? tint(frame.name) : theme.colour("border-strong");
    pen.fillRect(left + 0.5, frame.depth * ROW + 1, Math.max(right - left - 1, 0.6), ROW - 2);
    if (frame === chosen) {
      pen.strokeStyle = theme.colour("accent");
      pen.lineWidth = 2;
      pen.strokeRect(left + 1, frame.depth * ROW + 1, Math.max(right - left - 2, 1), ROW - 2);
    }
    if (right - left > 26) label(pen, frame, left, right - left);
    pen.globalAlpha = 1;
  }

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    const [from, to] = view();
    const x = from + ((event.clientX - box.left) / box.width) * (to - from);
    return flame.levels[Math.floor((event.clientY - box.top) / ROW)]?.find((frame) =>
      frame.x <= x && x < frame.x + frame.total
    );
  };
  const zoom = (frame) => {
    focus = frame && frame.depth ? frame : undefined;
    chosen = frame;
    paint();
    onSelect?.(focus);
  };
  canvas.addEventListener("pointermove", (event) => {
    const frame = at(event);
    if (frame) showAt(event, h("b", {}, title(short(frame.name))), ...lines(frame, flame));
    else hide();
  });
  canvas.addEventListener("pointerleave", hide);
  canvas.addEventListener("click", (event) => {
    const frame = at(event);
    if (frame) zoom(frame === focus ? undefined : frame);
  });
  canvas.addEventListener("keydown", (event) => {
    const next = step(event.key, chosen ?? flame.levels[0]?.[0], flame.levels);
    if (event.key === "Escape") zoom(undefined);
    else if (event.key === "Enter") zoom(chosen);
    else if (next) {
      chosen = next;
      paint();
      canvas.setAttribute(
        "aria-label",
        `${legible(named(short(next.name)))}, ${
          lines(next, flame).map((line) => line.textContent).join(", ")
        }`,
      );
    } else return;
    event.preventDefault();
  });
  new ResizeObserver(paint).observe(element);
  return {
    element,
    draw(next) {
      const kept = focus && next.levels[focus.depth]?.find(({ name }) => name === focus.name);
      [flame, focus, chosen] = [next, kept, undefined];
      canvas.setAttribute(
        "aria-label",
        `Flame graph, ${duration(flame.total)} in all; arrow keys walk, Enter zooms, Escape zooms out`,
      );
      paint();
    },
    /** Lights up what the text is part of; → `{frames, total}`, time under such frames counted once. */
    search(text) {
      needle = text.trim().toLowerCase();
      paint();
      return needle ? matching(flame, needle) : undefined;
    },
    zoom,
  };
}

function matching({ levels }, needle) {
  const hits = levels.flat().filter(({ name }) => name.toLowerCase().includes(needle));
  let [total, end] = [0, -1];
  for (const { x, total: wide } of hits.toSorted((a, b) => a.x - b.x || b.total - a.total)) {
    if (x < end) continue; // within one that is counted
    total += wide;
    end = x + wide;
  }
  return { frames: hits.length, total };
}

function label(pen, frame, x, width) {
  pen.fillStyle = frame.depth ? "rgba(16, 20, 28, 0.92)" : theme.colour("text");
  pen.save();
  pen.beginPath();
  pen.rect(x, frame.depth * ROW, width - 4, ROW);
  pen.clip();
  pen.fillText(
    frame.depth ? legible(named(short(frame.name))) : `total ${duration(frame.total)}`,
    x + 5,
    frame.depth * ROW + ROW / 2 + 1,
  );
  pen.restore();
}

/**
 * One hue a package, one shade a function, within a calm range of oranges and reds that dark text reads on.
 */
function tint(name) {
  const hash = (text) => [...text].reduce((sum, c) => (sum * 33 + c.codePointAt(0)) >>> 0, 5381);
  const pack = name.split(/[/:\\. ]/)[0] || name;
  return `hsl(${18 + (hash(pack) % 36)} ${68 + (hash(name) % 14)}% ${66 + (hash(name) % 11)}%)`;
}

/** Pyroscope names Python frames `file.py:function`; the path's last parts say enough. */
export function short(name) {
  const parts = name.split("/");
  return parts.length > 3 ? parts.slice(-2).join("/") : name;
}

function lines({ name, total, self }, flame) {
  const share = (value) => format(value / (flame.total || 1), "percentunit");
  return [
    h("div", {}, `Total ${duration(total)} (${share(total)})`),
    h("div", {}, `Self ${duration(self)} (${share(self)})`),
    name !== short(name) && h("div", { class: "muted mono" }, name),
  ].filter((line) => line !== false);
}

function step(key, frame, levels) {
  if (!frame) return undefined;
  const row = levels[frame.depth];
  const i = row.indexOf(frame);
  if (key === "ArrowRight") return row[i + 1] ?? frame;
  if (key === "ArrowLeft") return row[i - 1] ?? frame;
  if (key === "ArrowDown") {
    return levels[frame.depth + 1]?.find(({ x, total }) =>
      x >= frame.x && x + total <= frame.x + frame.total
    ) ?? frame;
  }
  if (key === "ArrowUp") {
    return levels[frame.depth - 1]?.find(({ x, total }) => x <= frame.x && frame.x < x + total) ?? frame;
  }
  return undefined;
}

/** `[{name, self, total}]` by self time; a recursive function's total counts its outermost frame alone. */
export function topFunctions({ levels }) {
  const top = new Map();
  const open = new Map(); // name → end of its outermost frame met so far, in the order of x
  for (const frame of levels.slice(1).flat().sort((a, b) => a.x - b.x || a.depth - b.depth)) {
    const entry = top.get(frame.name) ?? { name: frame.name, self: 0, total: 0 };
    entry.self += frame.self;
    if (!(open.get(frame.name) > frame.x)) {
      entry.total += frame.total;
      open.set(frame.name, frame.x + frame.total);
    }
    top.set(frame.name, entry);
  }
  return [...top.values()].sort((a, b) => b.self - a.self);
}

// Elements without HTML strings: whatever telemetry says enters the page as text, never as markup, and
// legible. Give words of ours and words of others as separate children, so that each of them is kept to
// itself.

import { isBlank, isRightToLeft, legible, pieces } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const READ = new Set(["title", "aria-label", "alt", "placeholder"]); // attributes that are read by people

/** @typedef {Record<string, any> | null | undefined} Attributes names and values; `on…` are listeners */
/** @typedef {any} Child a node, text or a list of such; null, undefined and false are left out */

/**
 * @template {Element} T
 * @param {T} element
 * @param {Attributes} attributes
 * @param {Child[]} children
 * @returns {T}
 */
function fill(element, attributes, children) {
  /** @type {any} */
  const any = element;
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") {
      for (const [key, v] of Object.entries(value)) v !== undefined && any.style.setProperty(key, v);
    } else if (name === "value" || name === "checked" || name === "disabled" || name === "selected") {
      any[name] = value;
    } else if (READ.has(name)) element.setAttribute(name, [value].flat().map(legible).join(""));
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

/**
 * @param {Element} element
 * @param {Child[]} children
 */
function append(element, children) {
  for (const child of children.flat(3)) {
    if (child === undefined || child === null || child === false) continue;
    element.append(child instanceof Node ? child : written(String(child), element));
  }
}

/**
 * A text as a node: signs for what cannot be seen, apart from its neighbours if it runs right to left.
 * @param {string} text
 * @param {Element} element
 * @returns {string | HTMLElement}
 */
function written(text, { namespaceURI, localName }) {
  const parts = pieces(text);
  if (parts.length < 2 && !parts[0]?.sign && !isRightToLeft(text)) return text;
  if (namespaceURI === SVG || localName === "option") return legible(text);
  const alone = document.createElement("bdi");
  alone.append(
    ...parts.map(({ text: part, sign, code }) => part ?? h("span", { class: "unseen", title: code }, sign)),
  );
  return alone;
}

/**
 * `h("p", {class: "x", onclick: f}, "text", node)`: an HTML element; children are nodes or text.
 * @template {string} K
 * @param {K} tag
 * @param {Attributes} [attributes]
 * @param {Child[]} children
 * @returns {K extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[K] : HTMLElement}
 */
export function h(tag, attributes, ...children) {
  /** @type {any} */
  const element = document.createElement(tag);
  return fill(element, attributes, children);
}

/**
 * The same for SVG.
 * @param {string} tag
 * @param {Attributes} [attributes]
 * @param {Child[]} children
 * @returns {SVGElement}
 */
export function s(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/**
 * An element that index.html brings.
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function present(selector) {
  const found = document.querySelector(selector);
  if (found instanceof HTMLElement) return found;
  throw new Error(`index.html has no ${selector}`);
}

/**
 * A name, or words in its place where it would draw nothing.
 * @type {(text: string, none?: string) => string | HTMLElement}
 */
export const title = (text, none = "(no name)") => (isBlank(text) ? h("i", { class: "muted" }, none) : text);

/**
 * Replaces what an element holds.
 * @template {Element} T
 * @param {T} element
 * @param {Child[]} children
 * @returns {T}
 */
export function put(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** @type {Record<string, string>} */
const ICONS = {
  dashboard: "M3 3h8v10H3zM13 3h8v6h-8zM13 11h8v10h-8zM3 15h8v6H3z",
  traces: "M3 5h12M7 10h10M9 15h9M13 20h8",
  map: "M5 7a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM19 12a2 2 0 1 0 0-4 2 2 0 0 0 0 4z" +
    "M7 21a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 5.6l10 3.6M17.4 11.3L8.6 17.7",
  logs: "M4 5h16M4 10h16M4 15h10M4 20h13",
  metrics: "M3 3v18h18M7 15l4-5 3 3 6-8",
  profiles: "M3 20h18v-4H3zM3 15h12v-4H3zM3 10h7V6H3zM16 15h5",
  check: "M4 12l5 5L20 6",
  cross: "M6 6l12 12M18 6L6 18",
  refresh: "M20 11a8 8 0 1 0-2.3 6.3M20 4v7h-7",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M4.9 4.9l1.4 1.4" +
    "M17.7 17.7l1.4 1.4M2 12h2M20 12h2M4.9 19.1l1.4-1.4M17.7 6.3l1.4-1.4",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  chevron: "M9 6l6 6-6 6",
  down: "M6 9l6 6 6-6",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v6M12 7.5v.5",
  warning: "M12 4L2.5 20h19zM12 10v4M12 17v.5",
  download: "M12 4v11M7 11l5 5 5-5M4 20h16",
  play: "M7 4l12 8-12 8z",
  pause: "M7 4v16M17 4v16",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7L12 7M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7L12 17",
  explore: "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
  empty: "M4 13l3-8h10l3 8v6H4zM4 13h5l1 3h4l1-3h5",
};

/**
 * A 24×24 line icon; decorative, so hidden from assistive technology.
 * @param {string} name
 * @param {number} [size] pixels
 * @returns {SVGElement}
 */
export function icon(name, size = 18) {
  return s("svg", {
    class: "icon",
    viewBox: "0 0 24 24",
    width: size,
    height: size,
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 1.8,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "aria-hidden": "true",
  }, s("path", { d: ICONS[name] }));
}

/**
 * Calls `f` once `ms` have passed without another call.
 * @template {any[]} A
 * @param {(...args: A) => void} f
 * @param {number} ms
 * @returns {(...args: A) => void}
 */
export function debounce(f, ms) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => f(...args), ms);
  };
}

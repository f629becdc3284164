// What a terminal would draw: colours and weight of ANSI sequences (ECMA-48) as elements, every other
// sequence left out.

import { h } from "./dom.js";

// CSI … letter; OSC … BEL or ST (one that does not end is no sequence: it would hide the rest); any other ESC
// sequence.
// deno-lint-ignore no-control-regex -- it looks for them
const SEQUENCE = /\u001b(?:\[([0-?]*)[ -/]*([@-~])|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[ -/]*[0-Z\\^-~])/g;
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

/**
 * Nodes for the text. Backgrounds, concealed text and exact colours are left out: all stays legible, in both
 * themes.
 * @param {string} text
 * @returns {string | (string | HTMLElement)[]}
 */
export function ansi(text) {
  if (!text.includes("\u001b")) return text;
  /** @type {(string | HTMLElement)[]} */
  const out = [];
  /** @type {Style} */
  let style = {};
  let end = 0;
  /** @param {string} part */
  const take = (part) =>
    part && out.push(Object.keys(style).length ? h("span", { class: classOf(style) }, part) : part);
  for (const match of text.matchAll(SEQUENCE)) {
    take(text.slice(end, match.index));
    if (match[2] === "m") style = changed(style, match[1]);
    end = match.index + match[0].length;
  }
  take(text.slice(end));
  return out;
}

/** @type {(style: { colour?: string, bold?: boolean, underlined?: boolean }) => string} */
const classOf = ({ colour, ...more }) =>
  [colour && `ansi-${colour}`, ...Object.keys(more)].filter(Boolean).join(" ");

/**
 * @typedef {{ colour?: string, bold?: boolean, underlined?: boolean }} Style
 * @param {Style} style
 * @param {string} parameters
 * @returns {Style}
 */
function changed(style, parameters) {
  const codes = parameters.split(/[;:]/).map(Number);
  for (let i = 0; i < codes.length; i += 1) {
    if (codes[i] === 38 || codes[i] === 48) i = skipped(codes, i); // a colour of 256 or of all
    else style = applied(style, codes[i]);
  }
  return style;
}

/** @type {(codes: number[], i: number) => number} */
const skipped = (codes, i) => i + (codes[i + 1] === 2 ? 4 : 2);

/**
 * @param {Style} style
 * @param {number} code
 * @returns {Style}
 */
function applied({ colour, ...more }, code) {
  if (!code) return {};
  const rest = { ...more, ...(code === 1 && { bold: true }), ...(code === 4 && { underlined: true }) };
  if (code === 22) delete rest.bold;
  if (code === 24) delete rest.underlined;
  const next = code === 39
    ? undefined
    : code % 10 < 8 && [3, 9].includes(Math.floor(code / 10))
    ? COLOURS[code % 10]
    : colour;
  return next ? { ...rest, colour: next } : rest;
}

// Time ranges as Grafana writes them in a URL: `now-5m`, `now`, or Unix milliseconds.

import { clock, dateTime } from "./format.js";

/** @type {Record<string, number>} */
const UNIT_MS = { s: 1e3, m: 60e3, h: 3600e3, d: 86400e3 };

/** @type {[string, string][]} */
export const PRESETS = [
  ["now-5m", "Last 5 minutes"],
  ["now-15m", "Last 15 minutes"],
  ["now-30m", "Last 30 minutes"],
  ["now-1h", "Last 1 hour"],
  ["now-3h", "Last 3 hours"],
  ["now-6h", "Last 6 hours"],
  ["now-24h", "Last 24 hours"],
];
export const REFRESH = ["off", "5s", "15s", "30s", "1m", "5m"];
/** @type {Record<string, string>} */
export const DEFAULTS = { from: "now-5m", to: "now", refresh: "15s" };

/**
 * Milliseconds of `now-15m`, `now` or a number; undefined when it is neither.
 * @param {string} text
 * @param {number} [now] Unix ms
 * @returns {number | undefined}
 */
export function resolve(text, now = Date.now()) {
  if (/^\d{10,}$/.test(text)) return Number(text);
  const relative = /^now(?:-(\d+)([smhd]))?$/.exec(text ?? "");
  if (relative) return now - (relative[1] ? Number(relative[1]) * UNIT_MS[relative[2]] : 0);
  return undefined;
}

/**
 * `15s` in milliseconds, 0 for `off`.
 * @param {string | undefined} text
 */
export function interval(text) {
  const match = /^(\d+)([smhd])$/.exec(text ?? "");
  return match ? Number(match[1]) * UNIT_MS[match[2]] : 0;
}

/**
 * The range the parameters name, as `{from, to}` in ms; the default where they name none that makes sense.
 * @typedef {{ from: number, to: number }} Range Unix ms
 * @param {Record<string, any>} params
 * @param {number} [now] Unix ms
 * @returns {Range}
 */
export function range(params, now = Date.now()) {
  const from = resolve(params.from ?? DEFAULTS.from, now);
  const to = resolve(params.to ?? DEFAULTS.to, now);
  if (from === undefined || to === undefined || from >= to) {
    return { from: resolve(DEFAULTS.from, now) ?? now, to: now };
  }
  return { from, to };
}

/**
 * `Last 15 minutes`, or both ends.
 * @param {Record<string, any>} params
 * @returns {string}
 */
export function label(params) {
  const from = params.from ?? DEFAULTS.from;
  const to = params.to ?? DEFAULTS.to;
  const preset = to === "now" && PRESETS.find(([value]) => value === from);
  if (preset) return preset[1];
  if (to === "now" && resolve(from) !== undefined && from.startsWith("now")) return `Last ${from.slice(4)}`;
  const { from: a, to: b } = range(params);
  const [day, last] = [dateTime(a).slice(0, 10), dateTime(b).slice(0, 10)];
  const today = dateTime(Date.now()).slice(0, 10);
  return `${day === today ? "" : `${day} `}${clock(a)} – ${last === day ? "" : `${last} `}${clock(b)}`;
}

/**
 * Words for a sentence: `the last 15 minutes`.
 * @param {Record<string, any>} params
 * @returns {string}
 */
export function words(params) {
  const text = label(params);
  return text.startsWith("Last") ? `the ${text.toLowerCase()}` : "this time range";
}

const STEPS = [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600].map((s) => s * 1000);

/**
 * A query step in ms: about `points` in the range, never below the scrape interval.
 * @param {Range} range
 * @param {number} points
 * @param {number} [minimum] ms
 * @returns {number} ms
 */
export function step({ from, to }, points, minimum = 5000) {
  const wanted = Math.max((to - from) / Math.max(points, 1), minimum);
  return STEPS.find((ms) => ms >= wanted) ?? Math.ceil(wanted / 3600e3) * 3600e3;
}

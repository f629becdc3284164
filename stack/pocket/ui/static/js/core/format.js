// Numbers and times as text. Unit names are Grafana's (packages/grafana-data/src/valueFormats/categories.ts).

/**
 * @typedef {{ base: number, names: string[] }} Scale
 * @type {Record<string, Scale>}
 */
const SCALES = {
  short: { base: 1000, names: ["", " K", " Mil", " Bil", " Tri"] },
  bytes: { base: 1024, names: [" B", " KiB", " MiB", " GiB", " TiB"] },
  decbytes: { base: 1000, names: [" B", " kB", " MB", " GB", " TB"] },
  Bps: { base: 1000, names: [" B/s", " kB/s", " MB/s", " GB/s"] },
  binBps: { base: 1024, names: [" B/s", " KiB/s", " MiB/s", " GiB/s"] },
  hertz: { base: 1000, names: [" Hz", " kHz", " MHz", " GHz"] },
};
/** @type {Record<string, string>} */
const SUFFIXES = {
  reqps: " req/s",
  ops: " ops/s",
  rps: " rd/s",
  wps: " wr/s",
  cps: " c/s",
  iops: " io/s",
  opm: " ops/min",
  reqpm: " req/min",
};
/** @type {Record<string, number>} */
const SECONDS = { ns: 1e-9, "µs": 1e-6, us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600, d: 86400 };

const PLAIN = { least: 1e-9, most: 1e15 }; // digits beyond are not read but counted: a power of ten says more

/**
 * Three significant digits (two below 0.0001), or exactly `decimals`; no trailing zeros unless asked for.
 * @param {number} value
 * @param {number | null} [decimals]
 * @returns {string}
 */
export function number(value, decimals) {
  const size = Math.abs(value);
  if (size >= PLAIN.most) return power(value);
  if (decimals !== undefined && decimals !== null) return value.toFixed(decimals);
  if (size === 0) return "0";
  if (size >= 100) return value.toFixed(0);
  if (size < PLAIN.least) return power(value);
  const places = (size < 1e-4 ? 1 : 2) - Math.floor(Math.log10(size)); // toPrecision would go over to 1e-7
  return String(value.toFixed(places)).replace(/\.?0+$/, "");
}

/**
 * `1.2 × 10⁻¹²`.
 * @param {number} value
 */
function power(value) {
  const [digits, exponent] = value.toExponential(1).split("e");
  return `${Number(digits)} × 10${[...exponent.replace("+", "")].map((c) => SUPERSCRIPTS[c]).join("")}`;
}

/** @type {Record<string, string>} */
const SUPERSCRIPTS = {
  "-": "⁻",
  0: "⁰",
  1: "¹",
  2: "²",
  3: "³",
  4: "⁴",
  5: "⁵",
  6: "⁶",
  7: "⁷",
  8: "⁸",
  9: "⁹",
};

/**
 * A value in Grafana's unit as text: `format(0.0123, "s")` is `12.3 ms`.
 * @param {number | null | undefined} value
 * @param {string} [unit]
 * @param {number | null} [decimals]
 * @returns {string}
 */
export function format(value, unit = "", decimals) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "-∞";
  if (unit in SECONDS) return seconds(value * SECONDS[unit], decimals);
  if (unit in SCALES) return scaled(value, SCALES[unit], decimals);
  if (unit in SUFFIXES) return scaled(value, SCALES.short, decimals) + SUFFIXES[unit];
  if (unit === "percent") return `${number(value, decimals)} %`;
  if (unit === "percentunit") return `${number(value * 100, decimals)} %`;
  if (unit === "bool") return value ? "true" : "false";
  if (unit === "dateTimeAsIso") return dateTime(value);
  if (unit.startsWith("suffix:")) return number(value, decimals) + " " + unit.slice(7).trim();
  if (unit.startsWith("prefix:")) return unit.slice(7) + number(value, decimals);
  if (unit && unit !== "none" && unit !== "locale" && unit !== "string") {
    return `${number(value, decimals)} ${unit}`;
  }
  return number(value, decimals);
}

/**
 * @param {number} value
 * @param {Scale} scale
 * @param {number | null} [decimals]
 */
function scaled(value, { base, names }, decimals) {
  let step = 0;
  while (Math.abs(value) >= base && step < names.length - 1) {
    value /= base;
    step += 1;
  }
  return number(value, decimals) + names[step];
}

/**
 * @param {number} value
 * @param {number | null} [decimals]
 */
function seconds(value, decimals) {
  const size = Math.abs(value);
  if (size === 0) return "0 s";
  // Three digits are shown: what rounds up to a thousand is one of the next unit.
  if (size < 0.9995e-6) return `${number(value * 1e9, decimals)} ns`;
  if (size < 0.9995e-3) return `${number(value * 1e6, decimals)} µs`;
  if (size < 0.9995) return `${number(value * 1e3, decimals)} ms`;
  if (size < 120) return `${number(value, decimals)} s`;
  if (size < 7200) return `${number(value / 60, decimals)} min`;
  if (size < 172800) return `${number(value / 3600, decimals)} h`;
  return `${number(value / 86400, decimals)} d`;
}

/**
 * Requests a second; rare ones read better by the minute. One unit wherever the same call is shown.
 * @type {(perSecond: number) => string}
 */
export const rate = (
  perSecond,
) => (perSecond > 0 && perSecond < 0.1 ? format(perSecond * 60, "reqpm") : format(perSecond, "reqps"));

/**
 * A span's or a trace's length, in nanoseconds.
 * @type {(ns: number) => string}
 */
export const duration = (ns) => seconds(ns / 1e9);

/** @type {(n: number) => string} */
const two = (n) => String(n).padStart(2, "0");

/**
 * Local `15:04:05`, with `.123` if asked.
 * @param {number} ms Unix time
 * @param {boolean} [millis]
 */
export function clock(ms, millis = false) {
  const d = new Date(ms);
  const text = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return millis ? `${text}.${String(d.getMilliseconds()).padStart(3, "0")}` : text;
}

/**
 * Local `2025-11-21 15:04:05`.
 * @param {number} ms Unix time
 * @param {boolean} [millis]
 */
export function dateTime(ms, millis = false) {
  const d = new Date(ms);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock(ms, millis)}`;
}

/**
 * `1 trace`, `2 traces`.
 * @type {(n: number, noun: string) => string}
 */
export const count = (n, noun) => `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;

/**
 * Ticks at round values for an axis from `low` to `high`: 1, 2, 2.5 or 5 times a power of ten (of two for
 * bytes).
 * @param {number} low
 * @param {number} high
 * @param {string} [unit]
 * @param {number} [wanted]
 * @returns {{ values: number[], step: number }}
 */
export function ticks(low, high, unit, wanted = 5) {
  if (!(high > low)) high = low + 1;
  const base = unit === "bytes" || unit === "binBps"
    ? 1024 ** Math.floor(Math.log(Math.max(high, 1)) / Math.log(1024))
    : 1;
  const raw = (high - low) / wanted / base;
  const power = 10 ** Math.floor(Math.log10(raw));
  const round = [1, 2, 2.5, 5].map((m) => m * power).find((m) => m >= raw * 0.999) ?? 10 * power;
  const step = round * base;
  const values = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high * (1 + 1e-9) + 1e-12; k += 1) {
    values.push(Number((k * step).toPrecision(12)));
  }
  return { values, step };
}

// Light and dark: the system's choice until the reader makes one, which is remembered. Colours live in
// style.css; charts ask for them here, resolved.

const KEY = "theme";
/** @type {Set<() => void>} */
const listeners = new Set();
const system = matchMedia("(prefers-color-scheme: dark)");
/** @type {HTMLElement | undefined} */
let probe;
/** @type {Map<string, string>} */
let resolved = new Map();

export const isDark = () =>
  (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";

export function toggle() {
  const next = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem(KEY, next);
  changed();
}

/**
 * Calls `f` when the colours change; returns what ends that.
 * @param {() => void} f
 */
export function onChange(f) {
  listeners.add(f);
  return () => listeners.delete(f);
}

function changed() {
  resolved = new Map();
  for (const f of listeners) f();
}
system.addEventListener("change", changed);

/**
 * The colour of a custom property in the present theme, as `rgb(…)`.
 * @param {string} name
 * @returns {string}
 */
export function colour(name) {
  const known = resolved.get(name);
  if (known !== undefined) return known;
  if (!probe) {
    probe = document.createElement("span");
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(--${name})`;
  const found = getComputedStyle(probe).color;
  resolved.set(name, found);
  return found;
}

/**
 * `rgb(…)` or `#rrggbb` with another opacity, for fills.
 * @param {string} paint
 * @param {number} alpha 0 to 1
 * @returns {string}
 */
export function fade(paint, alpha) {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})/i.exec(paint);
  const parts = hex
    ? hex.slice(1).map((pair) => parseInt(pair, 16))
    : paint.startsWith("rgb") && paint.match(/[\d.]+/g);
  return parts ? `rgba(${parts.slice(0, 3).join(", ")}, ${alpha})` : paint;
}

const PALETTE = 9;
/** @type {(index: number) => string} */
export const series = (index) => colour(`series-${(index % PALETTE) + 1}`);

// Grafana's named colours, nearest of ours.
/** @type {Record<string, string>} */
const NAMED = {
  green: "ok",
  red: "error",
  yellow: "level-warning",
  orange: "series-2",
  blue: "series-1",
  purple: "series-5",
  text: "text",
  transparent: "surface",
};

/**
 * Grafana's colour: a name (`semi-dark-red`), a hex value, or undefined.
 * @param {string | undefined} value
 * @returns {string | undefined}
 */
export function grafana(value) {
  if (!value) return undefined;
  if (value.startsWith("#") || value.startsWith("rgb")) return value;
  const name = value.split("-").pop() ?? "";
  return name in NAMED ? colour(NAMED[name]) : undefined;
}

// The workshop's own, in style.css as in the dashboards (stack/dashboards/colors.py).
const OWN = new Set([
  "traffic-gen",
  "streamlit-frontend",
  "dice-roller",
  "die-service",
  "usage-service",
  "postgres",
  "user",
]);
/** @type {Map<string, number>} */
const services = new Map();

/**
 * One colour a service: the workshop's have theirs everywhere, any other gets one for this session.
 * @param {string} name
 * @returns {string}
 */
export function service(name) {
  if (OWN.has(name)) return colour(`service-${name}`);
  let slot = services.get(name);
  if (slot === undefined) {
    let hash = 0;
    for (const c of name) hash = (hash * 31 + (c.codePointAt(0) ?? 0)) >>> 0;
    const used = new Set(services.values());
    slot = hash % PALETTE;
    if (used.size < PALETTE) { while (used.has(slot)) slot = (slot + 1) % PALETTE; }
    services.set(name, slot);
  }
  return series(slot);
}

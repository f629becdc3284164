// The page's state is its hash: `#/traces?q=…&from=now-15m`. Every view can be shared, every back button
// works.

import { DEFAULTS } from "./timerange.js";

const SHARED = ["from", "to", "refresh"];

/**
 * `#/d/uid?from=now-5m` → `{path: ["d", "uid"], params: {from: "now-5m"}}`.
 * @typedef {Record<string, any>} Params
 * @param {string} hash
 * @returns {{ path: string[], params: Params }}
 */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return {
    path: path.split("/").filter(Boolean).map(decode),
    params: Object.fromEntries(new URLSearchParams(query)),
  };
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * The hash of a path and its parameters; empty ones and defaults are left out.
 * @param {any[]} path
 * @param {Params} [params]
 * @returns {string}
 */
export function build(path, params = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== null && value !== "" && DEFAULTS[name] !== value) {
      query.set(name, value);
    }
  }
  const text = query.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

export const current = () => parse(location.hash);

/**
 * A link to another view that keeps the time range.
 * @param {any[]} path
 * @param {Params} [params]
 */
export function href(path, params = {}) {
  const kept = Object.fromEntries(SHARED.map((name) => [name, current().params[name]]));
  return build(path, { ...kept, ...params });
}

/**
 * Changes parameters of the view one is in.
 * @param {Params} changes
 * @param {{ replace?: boolean }} [options]
 * @returns {boolean} whether anything changed
 */
export function update(changes, { replace = false } = {}) {
  const { path, params } = current();
  const target = build(path, { ...params, ...changes });
  if (target === location.hash) return false;
  if (replace) {
    history.replaceState(history.state, "", target);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else location.hash = target;
  return true;
}

/**
 * @param {any[]} path
 * @param {Params} [params]
 */
export function go(path, params) {
  location.hash = href(path, params);
}

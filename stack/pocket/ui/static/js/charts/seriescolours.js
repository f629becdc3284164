// Colours for series nobody chose one for: those of services and outcomes mean the same as on the dashboards.

import * as theme from "../core/theme.js";

const SERVICE = new Set(["job", "service", "service_name"]);
const OUTCOME = new Set(["status", "status_code", "result", "level", "detected_level"]);
/** @type {[RegExp, string][]} */
const WORDS = [
  [/^(2\d\d|success|ok)$/, "ok"],
  [/^(3\d\d|info)$/, "level-info"],
  [/^(4\d\d|warn|warning|cancelled)$/, "level-warning"],
  [/^(5\d\d|failure|failed|error|critical|timeout|unavailable|unreachable)$/, "error"],
  [/^(debug|unknown)$/, "level-debug"],
];

/**
 * The series with `colour` where the one label that tells them apart is a service's name, or how something
 * ended.
 */
export function coloured(series) {
  const names = new Set(series.flatMap(({ labels }) => Object.keys(labels)));
  const telling = [...names].filter((name) =>
    name !== "__name__" && series.some(({ labels }) => labels[name] !== series[0].labels[name])
  );
  const [by] = telling.length || series.length > 1 ? telling : [...names].filter((name) => SERVICE.has(name));
  if (telling.length > 1 || !(SERVICE.has(by) || OUTCOME.has(by))) return series;
  return series.map((one) => ({
    ...one,
    colour: SERVICE.has(by) ? theme.service(one.labels[by] ?? "") : outcome(one.labels[by] ?? ""),
  }));
}

function outcome(text) {
  const [, token] = WORDS.find(([pattern]) => pattern.test(text)) ?? [];
  return token && theme.colour(token);
}

import { deepEqual, equal, ok } from "node:assert/strict";

import { count, duration, format, number, rate, ticks } from "ui/core/format.js";

Deno.test("no number is written with an exponent where digits fit", () => {
  /** @type {[number, string, string][]} */
  const cases = [
    [1, "percentunit", "100 %"],
    [0.333, "percentunit", "33.3 %"],
    [1e-5, "percentunit", "0.001 %"],
    [4e-9, "percentunit", "0.0000004 %"],
    [100, "percent", "100 %"],
    [0.00002, "", "0.00002"],
    [0.0000123, "", "0.000012"],
    [1.25e-6, "reqps", "0.0000013 req/s"],
    [0.0123, "s", "12.3 ms"],
    [2.5e-10, "s", "0.25 ns"],
    [1e12, "s", "11574074 d"],
    [1e21, "short", "1000000000 Tri"],
    [123456789, "", "123456789"],
    [-0.00005, "", "-0.00005"],
    [0.1, "", "0.1"],
    [10, "", "10"],
  ];
  for (const [value, unit, text] of cases) equal(format(value, unit), text);
});

Deno.test("beyond what can be read as digits there is a power of ten", () => {
  deepEqual([1.2e-12, 3e15, -1.5e22].map((n) => number(n)), ["1.2 × 10⁻¹²", "3 × 10¹⁵", "-1.5 × 10²²"]);
  equal(number(1e21, 2), "1 × 10²¹");
  for (const unit of ["", "percentunit", "s", "reqps", "bytes", "short"]) {
    for (let i = 0; i < 400; i += 1) ok(!/\de/.test(format(7.7 * 10 ** (i / 10 - 20), unit)));
  }
});

Deno.test("a thousand of a unit is one of the next", () => {
  /** @type {[number, string][]} */
  const cases = [[0.9997, "1 s"], [0.999, "999 ms"], [0.9996e-3, "1 ms"], [0.0123, "12.3 ms"], [0, "0 s"]];
  for (const [seconds, text] of cases) equal(format(seconds, "s"), text);
  equal(duration(1_500_000), "1.5 ms");
});

Deno.test("what is no number has a sign of its own", () => {
  deepEqual([null, undefined, NaN, Infinity, -Infinity].map((value) => format(value)), [
    "–",
    "–",
    "–",
    "∞",
    "-∞",
  ]);
});

Deno.test("Grafana's units, prefixes and suffixes", () => {
  equal(format(1536, "bytes"), "1.5 KiB");
  equal(format(1500, "decbytes"), "1.5 kB");
  equal(format(3, "suffix: dice"), "3 dice");
  equal(format(3, "prefix:#"), "#3");
  equal(format(1, "bool"), "true");
  equal(format(1.005, "", 2), "1.00");
  equal(format(2, "dice"), "2 dice");
});

Deno.test("rare requests are told by the minute", () => {
  equal(rate(0.05), "3 req/min");
  equal(rate(0.1), "0.1 req/s");
  equal(rate(0), "0 req/s");
});

Deno.test("a count has its plural", () =>
  deepEqual([1, 2000].map((n) => count(n, "trace")), ["1 trace", "2,000 traces"]));

Deno.test("ticks lie at round values, of two for bytes", () => {
  deepEqual(ticks(0, 1, ""), { values: [0, 0.2, 0.4, 0.6, 0.8, 1], step: 0.2 });
  deepEqual(ticks(3, 3, "").values.at(-1), 4); // a flat line has a height of 1
  deepEqual(ticks(0, 4 * 1024, "bytes").values, [0, 1024, 2048, 3072, 4096]);
});

import { deepEqual, equal } from "node:assert/strict";

import * as time from "ui/core/timerange.js";

const MINUTE = 60_000;

Deno.test("a range is relative to now, or in Unix milliseconds", () => {
  deepEqual(time.range({ from: "now-1h", to: "now" }, 1e12), { from: 1e12 - 60 * MINUTE, to: 1e12 });
  deepEqual(time.range({ from: "999999990000", to: "1000000000000" }), { from: 999999990000, to: 1e12 });
});

Deno.test("a range that makes no sense becomes the default", () => {
  for (const wrong of [{ from: "yesterday" }, { from: "now", to: "now-5m" }, { to: "x" }]) {
    deepEqual(time.range(wrong, 1e12), { from: 1e12 - 5 * MINUTE, to: 1e12 });
  }
});

Deno.test("a range has words", () => {
  equal(time.label({}), "Last 5 minutes");
  equal(time.label({ from: "now-7m" }), "Last 7m");
  equal(time.words({ from: "now-15m" }), "the last 15 minutes");
  equal(time.words({ from: "1000000000000", to: "1000000060000" }), "this time range");
});

Deno.test("a refresh interval is in milliseconds, off is 0", () => {
  deepEqual(["15s", "5m", "off"].map(time.interval), [15_000, 5 * MINUTE, 0]);
});

Deno.test("a step is round, and never below the scrape interval", () => {
  equal(time.step({ from: 0, to: 5 * MINUTE }, 300), 5000);
  equal(time.step({ from: 0, to: 60 * MINUTE }, 300), 15_000);
  equal(time.step({ from: 0, to: 1e11 }, 10), 2778 * 60 * MINUTE);
});

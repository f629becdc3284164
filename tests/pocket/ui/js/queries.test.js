import { deepEqual, equal } from "node:assert/strict";

import * as loki from "ui/api/loki.js";
import * as prometheus from "ui/api/prometheus.js";
import * as tempo from "ui/api/tempo.js";

Deno.test("a trace's id may lack its leading zeros, and may stand in a traceparent", () => {
  deepEqual(tempo.traceIn(" abc123 "), { id: "abc123" });
  const [trace, span] = ["A".repeat(32), "b".repeat(16)];
  deepEqual(tempo.traceIn(`traceparent: 00-${trace}-${span}-01`), { id: "a".repeat(32), span });
  for (const text of ["{name = 1}", "a".repeat(33), "", "{}"]) equal(tempo.traceIn(text), undefined);
});

Deno.test("what asks for series is told from a search", () => {
  for (const query of ["{} | rate()", "{}|quantile_over_time(duration, .9) by (name)"]) {
    equal(tempo.isMetrics(query), true);
  }
  for (const query of ["{} | count() > 2", '{name = "a | rate()"}', "{name = `| rate()`}"]) {
    equal(tempo.isMetrics(query), false);
  }
});

Deno.test("OTLP's values become plain ones", () => {
  equal(tempo.plain({ intValue: "42" }), 42);
  equal(tempo.plain({ boolValue: false }), false);
  deepEqual(tempo.plain({ arrayValue: { values: [{ stringValue: "a" }, { doubleValue: 0.5 }] } }), [
    "a",
    0.5,
  ]);
  deepEqual(tempo.plain({ kvlistValue: { values: [{ key: "k", value: { stringValue: "v" } }] } }), {
    k: "v",
  });
});

Deno.test("levels of one kind are one series", () => {
  const series = [
    { labels: { level: "WARNING", detected_level: "warn" }, t: [1, 2], v: [1, 1] },
    { labels: { detected_level: "warn" }, t: [2, 3], v: [1, 1] },
  ];
  deepEqual(loki.perLevel(series, (level) => level.slice(0, 4)), [
    { name: "warn", labels: { level: "warn" }, t: [1, 2, 3], v: [1, 2, 1] },
  ]);
});

Deno.test("a live tail's lines are the newest first, labels apart from metadata", () => {
  const stream = { service_name: "roller", trace_id: "ab" };
  const values = [["1000000000", "old"], ["2000000000", "new"]];
  const [newest, oldest] = loki.pushed({ streams: [{ stream, values }] }, new Set(["service_name"]));
  deepEqual([newest.line, newest.t, oldest.line], ["new", 2000, "old"]);
  deepEqual([newest.labels, newest.metadata], [{ service_name: "roller" }, { trace_id: "ab" }]);
});

Deno.test("a JSON line's fields are flat text", () => {
  deepEqual(loki.fields('{"a": "x", "b": 1, "c": {"d": null}}'), { a: "x", b: "1", c: '{"d":null}' });
  deepEqual(loki.fields("{half"), {});
  deepEqual(loki.fields("plain"), {});
});

Deno.test("labels are quoted as Go reads them", () => {
  equal(prometheus.selector({ __name__: "up", job: 'a"b\\c\n' }), 'up{job="a\\"b\\\\c\\n"}');
  equal(prometheus.selector({}), "{}");
});

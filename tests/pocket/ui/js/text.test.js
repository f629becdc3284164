import { deepEqual, equal } from "node:assert/strict";

import * as text from "ui/core/text.js";

Deno.test("what cannot be seen gets a sign", () => {
  equal(text.signed("a\u0000b\u202ec\u200b"), "a[NUL]b[U+202E]c[U+200B]");
  deepEqual(text.pieces("a\u001b[31m"), [{ text: "a" }, { sign: "ESC", code: "U+001B" }, { text: "[31m" }]);
});

Deno.test("tabs, line ends and the joiners of Persian and emoji stay", () => {
  for (const plain of ["a\tb\nc\r", "می\u200cخواهم", "👩\u200d🚀"]) equal(text.signed(plain), plain);
});

Deno.test("what is written right to left is kept from its neighbors", () => {
  equal(text.legible("שלום"), "\u2068שלום\u2069");
  equal(text.legible("roll"), "roll");
});

Deno.test("a name that draws nothing has words in its place", () => {
  deepEqual(["", " ", "\u3164", "x"].map((name) => text.named(name)), [
    "(no name)",
    "(no name)",
    "(no name)",
    "x",
  ]);
});

// Text that others wrote (span names, labels, log lines), made so that it can be read: what cannot be seen
// gets a sign, and what is written right to left stays within its own text (Unicode TR 36, 2.10: a name must
// not reorder its neighbours).

// Controls but tab and line ends; soft hyphen, zero-width space, direction and other invisible marks. The
// joiners U+200C and U+200D are left alone: Persian and emoji need them.
const UNSEEN = new RegExp(
  "[\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u200b\\u200e\\u200f" +
    "\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb]",
);
const EACH = new RegExp(`(${UNSEEN.source})`);
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
const BLANK = /^[\s\u115f\u1160\u2800\u3164\uffa0]*$/; // fillers are letters that draw nothing
const [ISOLATE, END] = ["\u2068", "\u2069"];

/** @type {(text: string) => boolean} */
export const isRightToLeft = (text) => RIGHT_TO_LEFT.test(text);
/** @type {(text: string) => boolean} */
export const isBlank = (text) => BLANK.test(text);

// ASCII's names; the pictures of Unicode for them (U+2400 on) are in few fonts.
const CONTROLS = ("NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI " +
  "DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US")
  .split(" ");

/**
 * `ESC` for a control character, otherwise `U+202E`.
 * @type {(character: string) => string}
 */
const sign = (character) => CONTROLS[character.charCodeAt(0)] ?? codePoint(character);

/** @type {(character: string) => string} */
const codePoint = (character) => `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/**
 * `[{text}, {sign, code}, …]`: the text cut at each character that cannot be seen.
 * @param {string} text
 * @returns {{ text?: string, sign?: string, code?: string }[]}
 */
export function pieces(text) {
  if (!UNSEEN.test(text)) return [{ text }];
  return text.split(EACH).filter(Boolean).map((
    part,
  ) => (part.length === 1 && UNSEEN.test(part)
    ? { sign: sign(part), code: codePoint(part) }
    : { text: part })
  );
}

/**
 * With signs, as a string; for what measures or cuts a text before it draws it.
 * @type {(text: any) => string}
 */
export const signed = (text) =>
  pieces(String(text)).map(({ text: part, sign: drawn }) => part ?? `[${drawn}]`).join("");

/**
 * The same, kept from its neighbours: for attributes, canvas, SVG and plotly, where there is no <bdi>.
 * @param {any} value
 * @returns {string}
 */
export function legible(value) {
  const text = signed(value);
  return isRightToLeft(text) ? ISOLATE + text + END : text;
}

/**
 * A name, or words in its place where it would draw nothing.
 * @type {(text: string, none?: string) => string}
 */
export const named = (text, none = "(no name)") => (isBlank(text) ? none : text);

// The little Markdown that text panels use, straight to elements: headings, lists, code, bold, emphasis,
// links.

import { h } from "../core/dom.js";

/** Blocks of a Markdown text as elements. Links go to http(s) and to this page only. */
export function markdown(text) {
  const blocks = [];
  let list;
  const fences = text.replaceAll("\r", "").split(/^```.*$/m);
  fences.forEach((part, i) => {
    if (i % 2) return blocks.push(h("pre", {}, h("code", {}, part.replace(/^\n|\n$/g, ""))));
    for (const paragraph of part.split(/\n/)) {
      const [, bullet] = /^\s*(?:[-*]|\d+\.)\s+(.*)/.exec(paragraph) ?? [];
      if (bullet !== undefined) {
        if (!list) blocks.push(list = h("ul"));
        list.append(h("li", {}, inline(bullet)));
        continue;
      }
      list = undefined;
      const [, marks, title] = /^(#{1,4})\s+(.*)/.exec(paragraph) ?? [];
      if (title) blocks.push(h(marks.length < 3 ? "h2" : "h3", {}, inline(title)));
      else if (paragraph.trim()) blocks.push(h("p", {}, inline(paragraph)));
    }
    return undefined;
  });
  return blocks;
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|\[([^\]]+)\]\(([^)\s]+)\)/g;

function inline(text) {
  const out = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    out.push(text.slice(end, match.index));
    const [whole, code, bold, emphasis, label, target] = match;
    if (code) out.push(h("code", {}, code));
    else if (bold) out.push(h("b", {}, bold));
    else if (emphasis) out.push(h("em", {}, emphasis));
    else {out.push(
        /^(https?:\/\/|#|\/(?!\/))/.test(target) ? h("a", { href: target, rel: "noopener" }, label) : label,
      );}
    end = match.index + whole.length;
  }
  out.push(text.slice(end));
  return out;
}

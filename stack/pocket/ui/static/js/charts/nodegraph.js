// Services and their calls as a layered graph: callers left, callees right. Small graphs (a workshop's) only.

import { h, s, title } from "../core/dom.js";
import { format, rate as perTime } from "../core/format.js";
import { named, signed } from "../core/text.js";
import * as theme from "../core/theme.js";
import { tip } from "../parts/tooltip.js";
import { pathOf, placeLabels, sample } from "./edgelabels.js";
import { layered, NODE } from "./graphlayout.js";

const RING = { x: 21, r: 12 };
const LEGIBLE = 0.7; // of its own size; a narrower place scrolls

/**
 * An SVG of `{nodes, edges}` as api/servicegraph.js gives them; `link(node)` and `linkEdge(edge)` are where a
 * click leads.
 * @param {{ nodes: any[], edges: any[] }} graph
 * @param {{ link?: (node: any) => string | undefined, linkEdge?: (edge: any) => string | undefined }} [ways]
 */
export function nodeGraph({ nodes, edges }, { link, linkEdge } = {}) {
  const { places, ways, width, top, height } = layered(nodes, edges);
  const most = Math.max(...edges.map(({ rate }) => rate));
  const labels = placeLabels(
    edges.map((edge, i) => ({ points: sample(ways[i]), lines: linesOf(edge) })),
    [...places.values()].map((at) => ({ ...at, ...NODE })),
  );
  return s(
    "svg",
    {
      class: "graph",
      viewBox: `0 ${top} ${width} ${height}`,
      preserveAspectRatio: "xMidYMid meet",
      role: "group",
      "aria-label": "Service graph",
      style: { "max-height": `${height * 1.35}px`, "min-width": `${Math.round(width * LEGIBLE)}px` },
    },
    s("defs", {}, arrow("arrow", "border-strong"), arrow("arrow-bad", "error")),
    edges.map((edge, i) => drawEdge(edge, ways[i], most)),
    edges.map((edge, i) => drawLabel(edge, ways[i], labels[i], linkEdge)),
    nodes.map((node) => drawNode(node, places.get(node.id), link)),
  );
}

const arrow = (id, colour) =>
  s("marker", {
    id,
    viewBox: "0 0 8 8",
    refX: 7,
    refY: 4,
    markerWidth: 7,
    markerHeight: 7,
    orient: "auto",
    markerUnits: "userSpaceOnUse",
  }, s("path", { d: "M0 0L8 4L0 8z", fill: `var(--${colour})` }));

/** What stands at a call: rate, mean latency, failed share. */
const linesOf = ({ rate, seconds, failed }) =>
  [
    perTime(rate),
    seconds !== null && format(seconds, "s"),
    failed > 0 && `${format(failed, "percentunit")} failed`,
  ].filter((text) => text !== false);

function drawEdge(edge, way, most) {
  const bad = edge.failed >= 0.25;
  return s("path", {
    class: "edge",
    d: pathOf(way),
    "marker-end": `url(#${bad ? "arrow-bad" : "arrow"})`,
    style: { stroke: bad ? "var(--error)" : undefined, "stroke-width": 1.2 + 2.3 * (edge.rate / most) },
  });
}

/** The label, and the edge's whole length as the place to point at. */
function drawLabel(edge, way, box, link) {
  const [middle, lines] = [box.x + box.width / 2, linesOf(edge)];
  const body = [
    s("path", { d: pathOf(way), fill: "none", stroke: "transparent", "stroke-width": 18 }),
    s("rect", { class: "label", ...box, rx: 5 }),
    lines.map((text, i) =>
      s("text", {
        class: i ? `sub${text.endsWith("failed") ? " bad" : ""}` : undefined,
        x: middle,
        y: box.y + 14 + i * 15,
        "text-anchor": "middle",
      }, text)
    ),
  ];
  const group = link
    ? s(
      "a",
      { class: "call", href: link(edge), "aria-label": [edge.from, " to ", edge.to, ": traces"] },
      body,
    )
    : s("g", { class: "call" }, body);
  tip(
    group,
    () =>
      [
        h("b", {}, title(edge.from), " → ", title(edge.to)),
        figures(edge),
        link && h("div", { class: "muted" }, "Click for its traces"),
      ].filter(Boolean),
  );
  return group;
}

const figures = ({ rate, failed, seconds }) =>
  h(
    "div",
    {},
    `${perTime(rate)} · ${format(failed, "percentunit")} failed${
      seconds === null ? "" : ` · mean ${format(seconds, "s")}`
    }`,
  );

function drawNode(node, { x, y }, link) {
  const [ring, middle] = [2 * Math.PI * RING.r, y + NODE.height / 2];
  const circle = { cx: x + RING.x, cy: middle, r: RING.r, fill: "none", "stroke-width": 3.5 };
  const body = [
    s("rect", {
      class: "plate",
      x,
      y,
      width: NODE.width,
      height: NODE.height,
      rx: 10,
      stroke: theme.service(node.id),
      "stroke-width": 1.5,
    }),
    s("circle", { ...circle, stroke: node.isClient ? "var(--border-strong)" : "var(--ok)" }),
    node.failed > 0 &&
    s("circle", {
      ...circle,
      stroke: "var(--error)",
      "stroke-dasharray": `${Math.max(node.failed * ring, 3)} ${ring}`,
      transform: `rotate(-90 ${x + RING.x} ${middle})`,
    }),
    node.kind === "database" &&
    s("path", {
      class: "kind",
      d: DATABASE,
      transform: `translate(${x + RING.x - 6} ${middle - 6}) scale(0.5)`,
    }),
    s("text", { class: "title", x: x + 41, y: y + 24 }, clip(node.id)),
    s(
      "text",
      { class: "sub", x: x + 41, y: y + 41 },
      node.isClient
        ? (node.kind === "virtual_node" ? "sends no spans" : "client")
        : [perTime(node.rate), node.seconds !== null && format(node.seconds, "s")].filter(Boolean).join(
          " · ",
        ),
    ),
  ];
  const group = link
    ? s("a", { href: link(node), "aria-label": [named(node.id), ": traces"] }, body)
    : s("g", {}, body);
  tip(
    group,
    () => [
      h("b", {}, title(node.id)),
      node.isClient
        ? h(
          "div",
          {},
          node.kind === "virtual_node"
            ? "A caller that sends no spans of its own"
            : "Calls others; nobody calls it",
        )
        : figures(node),
    ],
  );
  return group;
}

const DATABASE = "M4 5c0 -4 16 -4 16 0v14c0 4 -16 4 -16 0zM4 5c0 4 16 4 16 0M4 12c0 4 16 4 16 0";

/** Cut by what is drawn: a sign takes more room than the character it stands for. */
function clip(name) {
  const letters = [...signed(named(name))];
  return letters.length > 18 ? `${letters.slice(0, 17).join("")}…` : letters.join("");
}

// Services and their calls as a layered graph: callers left, callees right. Small graphs (a workshop's) only.

import { h, s } from "../core/dom.js";
import { format } from "../core/format.js";
import * as theme from "../core/theme.js";
import { tip } from "../parts/tooltip.js";

const NODE = { width: 196, height: 64 };
const GAP = { x: 116, y: 44 };
const LANE = 54; // height of a lane above or below the nodes, for calls that pass a column by

/** An SVG of `{nodes, edges}` as api/servicegraph.js gives them; `link(node)` is where a click on a service leads. */
export function nodeGraph({ nodes, edges }, { link } = {}) {
  const places = place(nodes, edges);
  const lanes = laneOf(edges, places);
  const width = Math.max(...[...places.values()].map(({ x }) => x)) + NODE.width + 24;
  const [top, bottom] = [Math.min(0, ...lanes.values()) - 26, Math.max(lowest(places) + 24, ...[...lanes.values()].map((y) => y + 44))];
  const height = bottom - top;
  const most = Math.max(...edges.map(({ rate }) => rate));
  return s("svg", { class: "graph", viewBox: `0 ${top} ${width} ${height}`, preserveAspectRatio: "xMidYMid meet", role: "group", "aria-label": "Service graph", style: { "max-height": `${height * 1.35}px` } },
    s("defs", {}, arrow("arrow", "border-strong"), arrow("arrow-bad", "error")),
    edges.map((edge) => drawEdge(edge, places, most, lanes.get(edge))),
    nodes.map((node) => drawNode(node, places.get(node.id), link)));
}

const arrow = (id, colour) => s("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto", markerUnits: "userSpaceOnUse" },
  s("path", { d: "M0 0L8 4L0 8z", fill: `var(--${colour})` }));

/** Columns by longest path from a service nobody calls (cycles are cut), rows in the order of their callers. */
function place(nodes, edges) {
  const depth = new Map(nodes.map(({ id }) => [id, 0]));
  for (let round = 0; round < nodes.length; round += 1) {
    for (const { from, to } of edges) {
      if (from !== to && depth.get(to) < depth.get(from) + 1 && depth.get(from) + 1 < nodes.length) depth.set(to, depth.get(from) + 1);
    }
  }
  const columns = Map.groupBy(nodes, ({ id }) => depth.get(id));
  const tallest = Math.max(...[...columns.values()].map((column) => column.length));
  const places = new Map();
  for (const [column, members] of [...columns].sort(([a], [b]) => a - b)) {
    const caller = ({ id }) => Math.min(...edges.filter(({ to }) => to === id).map(({ from }) => places.get(from)?.y ?? 0), 1e9);
    members.sort((a, b) => caller(a) - caller(b) || a.id.localeCompare(b.id));
    const top = ((tallest - members.length) * (NODE.height + GAP.y)) / 2;
    members.forEach(({ id }, row) => places.set(id, { x: 12 + column * (NODE.width + GAP.x), y: 22 + top + row * (NODE.height + GAP.y) }));
  }
  return places;
}

const lowest = (places) => Math.max(...[...places.values()].map(({ y }) => y)) + NODE.height;

/** A height for each call that would cross a node of a column between: above the nodes or below, whichever is nearer. */
function laneOf(edges, places) {
  const lanes = new Map();
  const [high, low] = [Math.min(...[...places.values()].map(({ y }) => y)), lowest(places)];
  let [above, below] = [0, 0];
  for (const edge of edges) {
    const [a, b] = [places.get(edge.from), places.get(edge.to)];
    if (b.x - a.x <= NODE.width + GAP.x) continue;
    const isAbove = a.y + b.y <= high + low - NODE.height;
    lanes.set(edge, isAbove ? high - LANE * (above += 1) : low + LANE * (below += 1));
  }
  return lanes;
}

function drawEdge(edge, places, most, lane) {
  const [a, b] = [places.get(edge.from), places.get(edge.to)];
  const back = b.x <= a.x;
  const [x1, y1] = [a.x + NODE.width, a.y + NODE.height / 2];
  const [x2, y2] = [back ? b.x + NODE.width : b.x - 2, b.y + NODE.height / 2 + (back ? 12 : 0)];
  const bend = back ? 70 : (x2 - x1) / 2;
  const path = lane === undefined
    ? `M${x1} ${y1}C${x1 + bend} ${y1} ${back ? x2 + bend : x2 - bend} ${y2} ${x2} ${y2}`
    : `M${x1} ${y1}C${x1 + 60} ${y1} ${x1 + 50} ${lane} ${x1 + GAP.x} ${lane}L${x2 - GAP.x} ${lane}C${x2 - 50} ${lane} ${x2 - 60} ${y2} ${x2} ${y2}`;
  const bad = edge.failed >= 0.25;
  const [mx, my] = [(x1 + x2) / 2 + (back ? 50 : 0), lane ?? (y1 + y2) / 2];
  const group = s("g", {},
    s("path", { class: "edge", d: path, "marker-end": `url(#${bad ? "arrow-bad" : "arrow"})`, style: { stroke: bad ? "var(--error)" : undefined, "stroke-width": 1.2 + 2.3 * (edge.rate / most) } }),
    s("path", { d: path, fill: "none", stroke: "transparent", "stroke-width": 18 }),
    s("text", { x: mx, y: my - 8, "text-anchor": "middle" }, rateText(edge.rate)),
    s("text", { class: "sub", x: mx, y: my + 16, "text-anchor": "middle" }, edge.seconds !== null && format(edge.seconds, "s")),
    edge.failed > 0 && s("text", { class: "sub bad", x: mx, y: my + 31, "text-anchor": "middle" }, `${percent(edge.failed)} failed`));
  tip(group, () => [h("b", {}, `${edge.from} → ${edge.to}`), figures(edge)]);
  return group;
}

const figures = ({ rate, failed, seconds }) => h("div", {}, `${rateText(rate)} · ${percent(failed)} failed${seconds === null ? "" : ` · mean ${format(seconds, "s")}`}`);

function drawNode(node, { x, y }, link) {
  const ring = 2 * Math.PI * 17;
  const body = [
    s("rect", { class: "plate", x, y, width: NODE.width, height: NODE.height, rx: 10, stroke: theme.service(node.id), "stroke-width": 1.5 }),
    s("circle", { cx: x + 30, cy: y + 32, r: 17, fill: "none", stroke: node.isClient ? "var(--border-strong)" : "var(--ok)", "stroke-width": 4 }),
    node.failed > 0 && s("circle", { cx: x + 30, cy: y + 32, r: 17, fill: "none", stroke: "var(--error)", "stroke-width": 4, "stroke-dasharray": `${node.failed * ring} ${ring}`, transform: `rotate(-90 ${x + 30} ${y + 32})` }),
    s("text", { class: "sub", x: x + 30, y: y + 36, "text-anchor": "middle" }, node.isClient ? "▸" : share(node.failed)),
    s("text", { class: "title", x: x + 58, y: y + 27 }, clip(node.id)),
    s("text", { class: "sub", x: x + 58, y: y + 45 }, node.isClient ? "client" : [rateText(node.rate), node.seconds !== null && format(node.seconds, "s")].filter(Boolean).join(" · ")),
  ];
  const group = link ? s("a", { href: link(node), "aria-label": `${node.id}: traces` }, body) : s("g", {}, body);
  tip(group, () => [h("b", {}, node.id), node.isClient ? h("div", {}, "Calls others; nobody calls it") : figures(node)]);
  return group;
}

const percent = (failed) => `${(failed * 100).toPrecision(2)} %`;
/** Rare calls read better by the minute. */
const rateText = (rate) => (rate > 0 && rate < 0.1 ? `${format(rate * 60, "reqpm")}` : format(rate, "reqps"));
const share = (failed) => (failed === 0 ? "ok" : failed < 0.01 ? "<1%" : `${Math.round(failed * 100)}%`);
const clip = (name) => (name.length > 18 ? `${name.slice(0, 17)}…` : name);

// Where the nodes and edges of a layered graph go: callers left, callees right. Lengths are pixels.

export const NODE = { width: 188, height: 56 };
const GAP = { x: 122, y: 48 };
const LANE = 54; // height of a lane above or below the nodes, for calls that pass a column by

/** @typedef {{ x: number, y: number }} Place upper left corner */
/** @typedef {{ from: string, to: string }} Edge */

/**
 * Places by id, a way for each edge as cubic segments `[[x0, y0], [c1], [c2], [x1, y1]]`, and the room that
 * all takes. @param {{ id: string }[]} nodes @param {Edge[]} edges
 */
export function layered(nodes, edges) {
  const places = place(nodes, edges);
  const lanes = laneOf(edges, places);
  const width = Math.max(...[...places.values()].map(({ x }) => x)) + NODE.width + 24;
  const top = Math.min(0, ...lanes.values()) - 26;
  const bottom = Math.max(lowest(places) + 24, ...[...lanes.values()].map((y) => y + 44));
  const ways = edges.map((edge) => wayOf(edge, places, lanes.get(edge)));
  return { places, ways, width, top, height: bottom - top };
}

/**
 * Columns by longest path from a service nobody calls (cycles are cut), rows in the order of their callers.
 */
function place(nodes, edges) {
  const depth = new Map(nodes.map(({ id }) => [id, 0]));
  for (let round = 0; round < nodes.length; round += 1) {
    for (const { from, to } of edges) {
      if (from !== to && depth.get(to) < depth.get(from) + 1 && depth.get(from) + 1 < nodes.length) {
        depth.set(to, depth.get(from) + 1);
      }
    }
  }
  const columns = Map.groupBy(nodes, ({ id }) => depth.get(id));
  const tallest = Math.max(...[...columns.values()].map((column) => column.length));
  const places = new Map();
  for (const [column, members] of [...columns].sort(([a], [b]) => a - b)) {
    const caller = ({ id }) =>
      Math.min(...edges.filter(({ to }) => to === id).map(({ from }) => places.get(from)?.y ?? 0), 1e9);
    members.sort((a, b) => caller(a) - caller(b) || a.id.localeCompare(b.id));
    const top = ((tallest - members.length) * (NODE.height + GAP.y)) / 2;
    members.forEach(({ id }, row) =>
      places.set(id, { x: 12 + column * (NODE.width + GAP.x), y: 22 + top + row * (NODE.height + GAP.y) })
    );
  }
  return places;
}

const lowest = (places) => Math.max(...[...places.values()].map(({ y }) => y)) + NODE.height;

/**
 * A height for each call that would cross a node of a column between: above the nodes or below, whichever is
 * nearer.
 */
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

/** The way of a call, as cubic segments: straight across, around to an earlier column, or along its lane. */
function wayOf({ from, to }, places, lane) {
  const [a, b] = [places.get(from), places.get(to)];
  const back = b.x <= a.x;
  const [x1, y1] = [a.x + NODE.width, a.y + NODE.height / 2];
  const [x2, y2] = [back ? b.x + NODE.width : b.x - 2, b.y + NODE.height / 2 + (back ? 12 : 0)];
  const bend = back ? 70 : (x2 - x1) / 2;
  if (lane === undefined) return [[[x1, y1], [x1 + bend, y1], [back ? x2 + bend : x2 - bend, y2], [x2, y2]]];
  const [up, down] = [[x1 + GAP.x, lane], [x2 - GAP.x, lane]];
  return [[[x1, y1], [x1 + 60, y1], [x1 + 50, lane], up], [up, up, down, down], [down, [x2 - 50, lane], [
    x2 - 60,
    y2,
  ], [x2, y2]]];
}

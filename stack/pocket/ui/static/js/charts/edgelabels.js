// Where the labels of a graph's edges go: each on its own edge, at the fraction where it hides nothing.

const STEPS = 40;
const FRACTIONS = [0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82];
const LINE = 15; // height of a line of 11 px text

/**
 * Points along a path of cubic segments `[[x0,y0], [c1], [c2], [x1,y1]]`, at equal steps of the parameter.
 */
export function sample(segments) {
  const each = Math.ceil(STEPS / segments.length);
  return segments.flatMap((segment, n) =>
    Array.from({ length: each + Number(n === segments.length - 1) }, (_, i) => cubic(segment, i / each))
  );
}

function cubic([a, b, c, d], t) {
  const [p, q] = [1 - t, t];
  return [0, 1].map((k) => p * p * p * a[k] + 3 * p * p * q * b[k] + 3 * p * q * q * c[k] + q * q * q * d[k]);
}

/** The path's `d`. */
export const pathOf = (segments) =>
  segments.map(([a, b, c, d], n) =>
    `${n ? "" : `M${a[0]} ${a[1]}`}C${b[0]} ${b[1]} ${c[0]} ${c[1]} ${d[0]} ${d[1]}`
  ).join("");

/**
 * `edges`: `[{points, lines: [text]}]`; `nodes`: boxes `{x, y, width, height}` nothing may cover.
 * → a box `{x, y, width, height}` for each edge, in the same order, its centre on the edge.
 */
export function placeLabels(edges, nodes) {
  const taken = [];
  return edges.map((edge) => {
    const size = {
      width: Math.max(...edge.lines.map((text) => text.length)) * 6.4 + 10,
      height: edge.lines.length * LINE + 4,
    };
    const choices = FRACTIONS.map((at, rank) => {
      const [x, y] = edge.points[Math.round(at * (edge.points.length - 1))];
      const box = { x: x - size.width / 2, y: y - size.height / 2, ...size };
      return { box, cost: cost(box, edge, edges, taken, nodes) + rank };
    });
    const { box } = choices.reduce((best, one) => (one.cost < best.cost ? one : best));
    taken.push(box);
    return box;
  });
}

/**
 * Covering a label or a service is worst, covering another call's line is bad, being off the middle a
 * blemish.
 */
function cost(box, own, edges, taken, nodes) {
  const hidden = [...taken, ...nodes].reduce((sum, other) => sum + overlap(box, other), 0);
  const crossed = edges.filter((edge) => edge !== own).reduce(
    (sum, { points }) => sum + points.filter((point) => inside(box, point)).length,
    0,
  );
  return hidden * 10 + crossed * 4;
}

const overlap = (a, b) =>
  Math.max(0, Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)) *
  Math.max(0, Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y));
const inside = ({ x, y, width, height }, [px, py]) =>
  px >= x && px <= x + width && py >= y && py <= y + height;

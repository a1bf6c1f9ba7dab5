/**
 * Plane figures as signed distances: negative inside, in units of the figure's radius. Distances need not be exact away
 * from the outline; near it they are, so that edges come out smooth.
 */
type Distance = (x: number, y: number) => number;

const disk: Distance = (x, y) => Math.hypot(x, y) - 1;

const box = (x: number, y: number, w: number, h: number) => {
  const dx = Math.abs(x) - w;
  const dy = Math.abs(y) - h;
  return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0);
};

/** A regular polygon with its corners on the unit circle. */
const polygon = (corners: number): Distance => {
  const step = Math.PI / corners;
  const inner = Math.cos(step);
  const side = Math.sin(step);
  return (x, y) => {
    const radius = Math.hypot(x, y);
    const turn = Math.atan2(x, y) / (2 * step);
    const angle = (turn - Math.round(turn)) * 2 * step;
    const beyond = Math.max(Math.abs(radius * Math.sin(angle)) - side, 0);
    const above = radius * Math.cos(angle) - inner;
    return above > 0 ? Math.hypot(above, beyond) : above;
  };
};

/** A star between an outer radius of 1 and an inner one: distance to the nearest edge line. */
const star = (points: number, innerRadius: number): Distance => {
  const step = Math.PI / points;
  const ix = innerRadius * Math.sin(step);
  const iy = innerRadius * Math.cos(step);
  const length = Math.hypot(ix, iy - 1);
  const nx = (1 - iy) / length;
  const ny = ix / length;
  return (x, y) => {
    const radius = Math.hypot(x, y);
    const turn = Math.atan2(x, y) / (2 * step);
    const angle = Math.abs(turn - Math.round(turn)) * 2 * step;
    return radius * Math.sin(angle) * nx + (radius * Math.cos(angle) - 1) * ny;
  };
};

/** Names are the classes, in order. */
export const FIGURES: Readonly<Record<string, Distance>> = {
  disk,
  square: (x, y) => box(x, y, 0.85, 0.85),
  triangle: polygon(3),
  star: star(5, 0.42),
  cross: (x, y) => Math.min(box(x, y, 1, 0.3), box(x, y, 0.3, 1)),
  ring: (x, y) => Math.abs(Math.hypot(x, y) - 0.72) - 0.26,
  crescent: (x, y) => Math.max(Math.hypot(x, y) - 1, 0.8 - Math.hypot(x - 0.5, y)),
  bar: (x, y) => box(x, y, 1, 0.28),
  hexagon: polygon(6),
  frame: (x, y) => Math.abs(box(x, y, 0.62, 0.62)) - 0.2,
};

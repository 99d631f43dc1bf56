import { flows, type Balance, type Flow, type Node } from "./energy";

/** Where the parts of the energy flow stand and how their ribbons run. Lengths in units of the drawing's view box. */
export interface Box {
  readonly node: Node;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Ribbon extends Flow {
  readonly path: string;
  readonly width: number;
  /** The tip of its arrow, and where it points. */
  readonly tip: Port;
}

interface Port {
  readonly x: number;
  readonly y: number;
  /** Unit vector that points out of the box. */
  readonly dx: number;
  readonly dy: number;
}

export interface FlowLayout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly tracks: readonly string[];
  readonly ribbons: readonly Ribbon[];
}

interface Shape {
  readonly width: number;
  readonly box: readonly [number, number];
  readonly gap: number;
  readonly widest: number;
}

const WIDE: Shape = { width: 620, box: [180, 104], gap: 58, widest: 28 };
const NARROW: Shape = { width: 344, box: [124, 84], gap: 44, widest: 18 };

const PAIRS: readonly (readonly [Node, Node])[] = [
  ["pv", "load"], ["pv", "battery"], ["pv", "grid"], ["battery", "load"], ["battery", "grid"], ["grid", "load"], ["grid", "battery"],
];

/** The order of ribbons along the edge of each box, so that none crosses another where they leave. */
const EDGE: Readonly<Record<Node, readonly Node[]>> = {
  pv: ["grid", "battery", "load"],
  grid: ["pv", "load", "battery"],
  load: ["pv", "grid", "battery"],
  battery: ["grid", "pv", "load"],
};

const BETWEEN = 3;
const ARROW = 9;

/** PV above, battery below, grid on the left, building on the right; what the site lacks takes no room. */
export function layOut(balance: Balance, narrow: boolean): FlowLayout {
  const shape = narrow ? NARROW : WIDE;
  const boxes = boxesOf(balance, shape);
  const found = flows(balance).filter((flow) => boxes.has(flow.from) && boxes.has(flow.to));
  const widths = widthsOf(found, shape.widest);
  const ribbons = found.map((flow, index) => ribbon(flow, index, found, widths, boxes));
  const tracks = PAIRS.flatMap(([from, to]) => {
    const [a, b] = [boxes.get(from), boxes.get(to)];
    return a && b && boxes.size > 1 ? [curve(port(a, 0), port(b, 0))] : [];
  });
  const last = Math.max(...[...boxes.values()].map((box) => box.y + box.height));
  return { width: shape.width, height: last, boxes: [...boxes.values()], tracks, ribbons };
}

function boxesOf(balance: Balance, { width, box: [w, h], gap }: Shape): Map<Node, Box> {
  const boxes = new Map<Node, Box>();
  const put = (node: Node, x: number, y: number) => boxes.set(node, { node, x, y, width: w, height: h });
  const above = balance.pv !== undefined;
  const middle = above ? h + gap : 0;
  if (above) put("pv", (width - w) / 2, 0);
  if (balance.grid !== undefined) put("grid", 0, middle);
  put("load", width - w, middle);
  if (balance.battery !== undefined) put("battery", (width - w) / 2, middle + h + gap);
  return boxes;
}

/** Width by power: the busiest part of the site gets the widest ribbons, and every flow can be seen. */
function widthsOf(found: readonly Flow[], widest: number): number[] {
  const through = new Map<Node, number>();
  for (const flow of found) {
    through.set(flow.from, (through.get(flow.from) ?? 0) + flow.power);
    through.set(flow.to, (through.get(flow.to) ?? 0) + flow.power);
  }
  const most = Math.max(...through.values(), 1);
  return found.map((flow) => Math.max(2.5, (widest * flow.power) / most));
}

/** How far from the middle of its box's edge a ribbon leaves: those of one box lie side by side. */
function offset(node: Node, index: number, found: readonly Flow[], widths: readonly number[]): number {
  const here = found
    .map((flow, at) => ({ at, other: flow.from === node ? flow.to : flow.to === node ? flow.from : null }))
    .filter((entry) => entry.other !== null)
    .sort((a, b) => EDGE[node].indexOf(a.other ?? node) - EDGE[node].indexOf(b.other ?? node));
  const whole = here.reduce((sum, { at }) => sum + (widths[at] ?? 0), 0) + BETWEEN * (here.length - 1);
  let start = -whole / 2;
  for (const { at } of here) {
    const width = widths[at] ?? 0;
    if (at === index) return start + width / 2;
    start += width + BETWEEN;
  }
  return 0;
}

function port(box: Box, along: number): Port {
  switch (box.node) {
    case "pv":
      return { x: box.x + box.width / 2 + along, y: box.y + box.height, dx: 0, dy: 1 };
    case "battery":
      return { x: box.x + box.width / 2 + along, y: box.y, dx: 0, dy: -1 };
    case "grid":
      return { x: box.x + box.width, y: box.y + box.height / 2 + along, dx: 1, dy: 0 };
    case "load":
      return { x: box.x, y: box.y + box.height / 2 + along, dx: -1, dy: 0 };
  }
}

function ribbon(flow: Flow, index: number, found: readonly Flow[], widths: readonly number[], boxes: ReadonlyMap<Node, Box>): Ribbon {
  const [from, to] = [boxes.get(flow.from), boxes.get(flow.to)];
  if (!from || !to) throw new Error(`The flow from ${flow.from} to ${flow.to} has an end that is not drawn.`);
  let leaves = offset(flow.from, index, found, widths);
  let arrives = offset(flow.to, index, found, widths);
  if (areOpposite(flow)) {
    // Between opposite boxes a ribbon is straight if one of its ends is free to move.
    if (isAlone(flow.to, found)) arrives = leaves;
    else if (isAlone(flow.from, found)) leaves = arrives;
  }
  const tip = port(to, arrives);
  const end = { ...tip, x: tip.x + tip.dx * ARROW, y: tip.y + tip.dy * ARROW };
  return { ...flow, path: curve(port(from, leaves), end), width: widths[index] ?? 0, tip };
}

function areOpposite({ from, to }: Flow): boolean {
  return (from === "pv" && to === "battery") || (from === "grid" && to === "load");
}

function isAlone(node: Node, found: readonly Flow[]): boolean {
  return found.filter((flow) => flow.from === node || flow.to === node).length === 1;
}

/** Leaves and enters at right angles to the boxes. */
function curve(a: Port, b: Port): string {
  const reach = a.dx * b.dx + a.dy * b.dy === -1 ? 0.4 : 0.72;
  const pull = (port: Port, towards: Port) => {
    const distance = Math.abs(port.dx) * Math.abs(towards.x - port.x) + Math.abs(port.dy) * Math.abs(towards.y - port.y);
    return `${round(port.x + port.dx * distance * reach)} ${round(port.y + port.dy * distance * reach)}`;
  };
  return `M${round(a.x)} ${round(a.y)}C${pull(a, b)} ${pull(b, a)} ${round(b.x)} ${round(b.y)}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

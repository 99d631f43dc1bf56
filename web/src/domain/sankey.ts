/** One side of a flow picture: a bar of some height. */
export interface Bar {
  readonly name: string;
  readonly y: number;
  readonly height: number;
}

/** A band from a source bar to a sink bar, as a closed SVG path. */
export interface Band {
  readonly from: string;
  readonly to: string;
  readonly path: string;
}

interface Link {
  readonly from: string;
  readonly to: string;
  readonly size: number;
}

/** Bars stacked on both sides with `gap` between them, centred on `middle`; bands keep the order of `links`. */
export function sankey(
  links: readonly Link[], left: number, right: number, middle: number, gap: number,
): { sources: Bar[]; sinks: Bar[]; bands: Band[] } {
  const sources = stack(links, "from", middle, gap);
  const sinks = stack(links, "to", middle, gap);
  const used = new Map<string, number>();
  const take = (side: string, bar: Bar | undefined, size: number) => {
    const before = used.get(side) ?? 0;
    used.set(side, before + size);
    return (bar?.y ?? 0) + before;
  };
  const pull = (right - left) * 0.5;
  const bands = links.map(({ from, to, size }) => {
    const y0 = take(`from ${from}`, sources.find((bar) => bar.name === from), size);
    const y1 = take(`to ${to}`, sinks.find((bar) => bar.name === to), size);
    const top = `M${left} ${y0}C${left + pull} ${y0} ${right - pull} ${y1} ${right} ${y1}`;
    const bottom = `L${right} ${y1 + size}C${right - pull} ${y1 + size} ${left + pull} ${y0 + size} ${left} ${y0 + size}Z`;
    return { from, to, path: top + bottom };
  });
  return { sources, sinks, bands };
}

function stack(links: readonly Link[], side: "from" | "to", middle: number, gap: number): Bar[] {
  const heights = new Map<string, number>();
  for (const link of links) heights.set(link[side], (heights.get(link[side]) ?? 0) + link.size);
  const whole = [...heights.values()].reduce((sum, height) => sum + height, 0) + gap * (heights.size - 1);
  let y = middle - whole / 2;
  return [...heights].map(([name, height]) => {
    const bar = { name, y, height };
    y += height + gap;
    return bar;
  });
}

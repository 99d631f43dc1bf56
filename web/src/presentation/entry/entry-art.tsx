import { sankey } from "@/domain/sankey";

/** A sunny afternoon on some site: where its power comes from, and where it goes. */
const LINKS = [
  { from: "pv", to: "load", size: 170 },
  { from: "pv", to: "hvac", size: 62 },
  { from: "pv", to: "battery", size: 54 },
  { from: "pv", to: "export", size: 88 },
  { from: "stored", to: "load", size: 40 },
  { from: "grid", to: "load", size: 26 },
  { from: "grid", to: "hvac", size: 44 },
] as const;

const COLOR: Readonly<Record<string, string>> = {
  pv: "var(--pv)",
  stored: "var(--battery)",
  grid: "var(--grid-import)",
  load: "var(--load)",
  hvac: "var(--hvac)",
  battery: "var(--battery)",
  export: "var(--grid-export)",
};

const NAME: Readonly<Record<string, string>> = {
  pv: "Sun",
  stored: "Battery",
  grid: "Grid",
  load: "Building",
  hvac: "Heating and cooling",
  battery: "Into the battery",
  export: "Into the grid",
};

const [LEFT, RIGHT, BAR] = [170, 690, 8];
const PICTURE = sankey(LINKS, LEFT, RIGHT, 450, 36);

export function EntryArt() {
  return (
    <svg className="absolute inset-0 size-full" viewBox="0 0 920 900" preserveAspectRatio="xMidYMid meet">
      <defs>
        {PICTURE.bands.map(({ from, to }) => (
          <linearGradient key={`${from}-${to}`} id={`art-${from}-${to}`} gradientUnits="userSpaceOnUse" x1={LEFT} x2={RIGHT} y1="0" y2="0">
            <stop offset="0.1" stopColor={COLOR[from]} />
            <stop offset="0.9" stopColor={COLOR[to]} />
          </linearGradient>
        ))}
      </defs>
      {PICTURE.bands.map(({ from, to, path }) => (
        <path key={path} d={path} fill={`url(#art-${from}-${to})`} opacity={0.34} />
      ))}
      {PICTURE.sources.map((bar) => (
        <g key={bar.name}>
          <rect x={LEFT - BAR} y={bar.y} width={BAR} height={bar.height} rx={3} fill={COLOR[bar.name]} />
          <text x={LEFT - BAR - 14} y={bar.y + bar.height / 2 + 5} textAnchor="end" fontSize={15} fill="var(--quiet)">
            {NAME[bar.name]}
          </text>
        </g>
      ))}
      {PICTURE.sinks.map((bar) => (
        <g key={bar.name}>
          <rect x={RIGHT} y={bar.y} width={BAR} height={bar.height} rx={3} fill={COLOR[bar.name]} />
          <text x={RIGHT + BAR + 14} y={bar.y + bar.height / 2 + 5} fontSize={15} fill="var(--quiet)">
            {NAME[bar.name]}
          </text>
        </g>
      ))}
    </svg>
  );
}

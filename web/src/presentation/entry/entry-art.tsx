/** Ribbons in the energy colours: sun and grid from the left meet and leave to building and battery on the right. */
const RIBBONS = [
  { path: "M-20 190 C 260 190 300 380 540 380 S 800 330 940 330", color: "var(--pv)", width: 64 },
  { path: "M-20 262 C 240 262 330 470 560 470 S 800 560 940 560", color: "var(--pv)", width: 40 },
  { path: "M-20 620 C 240 620 320 430 560 426 S 800 404 940 404", color: "var(--grid-import)", width: 34 },
  { path: "M-20 760 C 280 760 340 600 580 570 S 780 640 940 640", color: "var(--battery)", width: 26 },
] as const;

export function EntryArt() {
  return (
    <svg className="absolute inset-0 size-full" viewBox="0 0 920 900" preserveAspectRatio="xMidYMid slice">
      {RIBBONS.map(({ path, color, width }) => (
        <g key={path} fill="none" strokeLinecap="round">
          <path d={path} stroke={color} strokeWidth={width} opacity={0.16} />
          <path d={path} stroke={color} strokeWidth={width * 0.55} opacity={0.28} />
          <path d={path} stroke={color} strokeWidth={3} className="flow-dots" style={{ animationDuration: "2.4s" }} />
        </g>
      ))}
    </svg>
  );
}

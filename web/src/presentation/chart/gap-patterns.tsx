import type { LineLook } from "./line-look";

/** Hatching: grey where nothing was measured, in a line's own colour where its value is uncertain. */
export function GapPatterns({ id, looks }: { id: string; looks: readonly LineLook[] }) {
  return (
    <defs>
      <Hatch id={`${id}-gap`} color="var(--faint)" opacity={0.3} />
      {looks.map((look) => (
        <Hatch key={look.key} id={`${id}-${look.key}`} color={look.color} opacity={0.28} />
      ))}
    </defs>
  );
}

function Hatch({ id, color, opacity }: { id: string; color: string; opacity: number }) {
  return (
    <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect width="6" height="6" fill={color} opacity={opacity * 0.25} />
      <line x1="0" y1="0" x2="0" y2="6" stroke={color} strokeWidth="1.5" opacity={opacity} />
    </pattern>
  );
}

import type { Box } from "@/domain/flow-layout";
import { figure } from "@/domain/quantity";
import { ENERGY } from "@/presentation/energy-look";

interface Props {
  readonly box: Box;
  readonly narrow: boolean;
  readonly watts: number | null | undefined;
  readonly label: string;
  readonly color: string;
  readonly note: string;
}

/** One part of the site: icon and name, the power large, and a word on what it does. */
export function FlowNode({ box, narrow, watts, label, color, note }: Props) {
  const Icon = ENERGY[box.node].icon;
  const { number, unit } = watts === null || watts === undefined ? { number: "—", unit: "" } : figure(Math.abs(watts), "W");
  const pad = narrow ? 12 : 16;
  const lines = narrow ? { head: 20, value: 49, note: 70, size: 22 } : { head: 25, value: 65, note: 89, size: 36 };
  return (
    <g transform={`translate(${box.x} ${box.y})`} data-node={box.node}>
      <rect width={box.width} height={box.height} rx={12} fill="var(--surface)" stroke="var(--line-strong)" />
      <rect x={pad} y={0} width={box.width - 2 * pad} height={2.5} rx={1.25} fill={color} />
      <Icon x={pad} y={lines.head - 12} width={16} height={16} color={color} strokeWidth={2} aria-hidden />
      <text x={pad + 22} y={lines.head + 1} fontSize={narrow ? 12.5 : 14} fill="var(--quiet)" fontWeight={500}>
        {label}
      </text>
      <text x={pad} y={lines.value} fontSize={lines.size} fontWeight={600} fill="var(--ink)" letterSpacing="-0.02em" style={{ fontVariantNumeric: "tabular-nums" }}>
        {number}
        <tspan dx={4} fontSize={lines.size * 0.5} fontWeight={500} fill="var(--quiet)" letterSpacing="0">
          {unit}
        </tspan>
      </text>
      <text x={pad} y={lines.note} fontSize={narrow ? 11.5 : 13} fill="var(--faint)" style={{ fontVariantNumeric: "tabular-nums" }}>
        {note}
      </text>
    </g>
  );
}

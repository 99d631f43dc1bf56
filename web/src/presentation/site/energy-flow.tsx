"use client";

import { useRef } from "react";
import { loadOf, type Node } from "@/domain/energy";
import { layOut, type Ribbon } from "@/domain/flow-layout";
import { doing, flowSentence, selfSupplyWords } from "@/domain/flow-words";
import { fixed } from "@/domain/quantity";
import type { Site } from "@/domain/site";
import { ENERGY, gridColor } from "@/presentation/energy-look";
import type { SiteKeys } from "@/presentation/hooks/use-all-points";
import { useBalance } from "@/presentation/hooks/use-balance";
import { useSiteConnection } from "@/presentation/hooks/use-connection";
import { useLiveSum } from "@/presentation/hooks/use-live-point";
import { useFlowMotion } from "@/presentation/hooks/use-flow-motion";
import { useMedia } from "@/presentation/hooks/use-media";
import { Card, CardHead } from "@/presentation/ui/card";
import { cx } from "@/presentation/ui/cx";
import { FlowNode } from "./flow-node";

/** Where the power comes from and where it goes, at a glance from three metres. */
export function EnergyFlow({ site, keys }: { site: Site; keys: SiteKeys }) {
  const balance = useBalance(site.wire, keys.power);
  const charge = useLiveSum(site.wire, keys.charge.slice(0, 1));
  const connection = useSiteConnection(site.wire);
  const narrow = useMedia("(max-width: 520px)");
  const picture = useRef<SVGSVGElement>(null);
  useFlowMotion(picture, connection.status === "live");
  const layout = layOut(balance, narrow);
  const still = connection.status !== "live";
  const load = loadOf(balance);
  const watts: Record<Node, number | null | undefined> = { grid: balance.grid, pv: balance.pv, battery: balance.battery, load };

  return (
    <Card data-testid="energy-flow" className="flex flex-col">
      <CardHead title="Energy flow">
        <span className="text-xs text-quiet">{selfSupplyWords(balance)}</span>
      </CardHead>
      <div className="flex flex-1 items-center justify-center px-4 pb-5 pt-3">
        <svg
          ref={picture}
          role="img"
          aria-label={flowSentence(balance)}
          viewBox={`-1 -1 ${layout.width + 2} ${layout.height + 2}`}
          className={cx("block w-full max-w-[620px] transition-opacity", still && "opacity-60")}
        >
          {layout.tracks.map((path) => (
            <path key={path} d={path} fill="none" stroke="var(--line)" strokeWidth={1.5} />
          ))}
          {layout.ribbons.map((ribbon) => (
            <FlowRibbon key={`${ribbon.from}-${ribbon.to}`} ribbon={ribbon} still={still} busiest={Math.max(...layout.ribbons.map((each) => each.power))} />
          ))}
          {layout.boxes.map((box) => (
            <FlowNode
              key={box.node}
              box={box}
              narrow={narrow}
              watts={watts[box.node]}
              label={ENERGY[box.node].label}
              color={box.node === "grid" ? gridColor(balance.grid) : ENERGY[box.node].color}
              note={noteOf(box.node, watts[box.node], charge, balance.hvac)}
            />
          ))}
        </svg>
      </div>
    </Card>
  );
}

function noteOf(node: Node, watts: number | null | undefined, charge: number | null | undefined, hvac: number | null | undefined): string {
  const word = doing(node, watts);
  if (node === "battery" && charge !== null && charge !== undefined) return `${word} · ${fixed(charge, 0)} %`;
  if (node === "load" && watts && hvac !== null && hvac !== undefined) return `${fixed((hvac / watts) * 100, 0)} % is HVAC`;
  return word;
}

function sourceColor(from: Node): string {
  return ENERGY[from].color;
}

/** A ribbon in its source's colour; where it ends, an arrow; dots run along it, faster where more flows. */
function FlowRibbon({ ribbon, still, busiest }: { ribbon: Ribbon; still: boolean; busiest: number }) {
  const color = ribbon.to === "grid" && ribbon.from !== "grid" ? "var(--grid-export)" : sourceColor(ribbon.from);
  const { tip, width } = ribbon;
  const half = width / 2 + 3.5;
  const base = { x: tip.x + tip.dx * 10, y: tip.y + tip.dy * 10 };
  const arrow = [
    `${tip.x + tip.dx},${tip.y + tip.dy}`,
    `${base.x + tip.dy * half},${base.y + tip.dx * half}`,
    `${base.x - tip.dy * half},${base.y - tip.dx * half}`,
  ].join(" ");
  const speed = 8 + 10 * (busiest > 0 ? ribbon.power / busiest : 0);
  return (
    <g data-flow={`${ribbon.from}-${ribbon.to}`} data-power={Math.round(ribbon.power)}>
      <path className="flow-ribbon" d={ribbon.path} fill="none" stroke={color} strokeWidth={width} opacity={0.88} />
      <polygon points={arrow} fill={color} />
      {still ? null : (
        <path
          className="flow-dots"
          d={ribbon.path}
          fill="none"
          stroke="var(--surface)"
          strokeOpacity={0.75}
          strokeLinecap="round"
          strokeWidth={Math.max(1.5, Math.min(5, width * 0.3))}
          data-speed={speed.toFixed(1)}
        />
      )}
    </g>
  );
}

"use client";

import { usePathname } from "next/navigation";
import { Popover } from "radix-ui";
import type { Connection } from "@/domain/link/connection";
import { connectionLabel, connectionSentence } from "@/domain/link/connection-words";
import { useSite } from "@/presentation/hooks/use-data";
import { usePageConnection, useSiteConnection } from "@/presentation/hooks/use-connection";
import { cx } from "@/presentation/ui/cx";
import { StateDot } from "@/presentation/ui/state-dot";
import { placeOf } from "./route";

/** How fresh the figures on this page are. On a site's page it speaks of that site, elsewhere of all. */
export function ConnectionPill() {
  const { siteId } = placeOf(usePathname());
  return siteId === null ? <PagePill /> : <SitePill siteId={siteId} />;
}

function PagePill() {
  const connection = usePageConnection();
  return connection ? <Pill connection={connection} /> : null;
}

function SitePill({ siteId }: { siteId: number }) {
  const { site, error } = useSite(siteId);
  const connection = useSiteConnection(site?.wire ?? "");
  return error !== undefined && !site ? null : <Pill connection={connection} />;
}

const LOOK = {
  live: "text-ink",
  stale: "border-warn/40 bg-warn-soft text-warn",
  reconnecting: "border-warn/40 bg-warn-soft text-warn",
  offline: "bg-sunken text-quiet",
} as const;

function Pill({ connection }: { connection: Connection }) {
  const label = connectionLabel(connection);
  const opening = connection.cause === "connecting";
  return (
    <Popover.Root>
      <Popover.Trigger asChild>
        <button
          type="button"
          data-testid="connection"
          data-connection={connection.status}
          data-cause={connection.cause ?? ""}
          data-interval={connection.interval}
          className={cx(
            "hairline mr-1 inline-flex h-7 items-center gap-2 rounded-full px-2.5 text-xs font-medium transition-colors",
            opening ? "bg-sunken text-quiet" : LOOK[connection.status],
          )}
        >
          <StateDot status={connection.status} />
          <span role="status">{label}</span>
        </button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="end" sideOffset={6} collisionPadding={8} className="appear hairline z-50 max-w-72 rounded-lg border-line-strong bg-raised p-3 text-[13px]">
          <p className="font-medium">{label}</p>
          <p className="mt-1 text-quiet">{connectionSentence(connection)}</p>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

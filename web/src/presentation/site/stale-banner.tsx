"use client";

import { TriangleAlert } from "lucide-react";
import { connectionSentence } from "@/domain/link/connection-words";
import type { Site } from "@/domain/site";
import { useSiteConnection } from "@/presentation/hooks/use-connection";

/** Says in words why the figures below are not live. Silent while they are, and while the page is only opening. */
export function StaleBanner({ site }: { site: Site }) {
  const connection = useSiteConnection(site.wire);
  if (connection.status === "live" || connection.cause === "connecting" || connection.cause === "signed_out") return null;
  return (
    <p role="status" data-testid="stale-banner" className="appear flex items-start gap-2.5 rounded-lg border border-warn/30 bg-warn-soft px-3 py-2 text-[13px] text-warn">
      <TriangleAlert aria-hidden className="mt-0.5 size-4 shrink-0" strokeWidth={1.75} />
      {connectionSentence(connection)}
    </p>
  );
}

"use client";

import { useEffect, type ReactNode } from "react";
import { useSWRConfig } from "swr";
import { useServices } from "@/presentation/services";
import { useSites } from "@/presentation/hooks/use-data";
import { useWatch } from "@/presentation/hooks/use-watch";
import { BottomBar } from "./bottom-bar";
import { Rail } from "./rail";
import { SessionGate } from "./session-gate";
import { TopBar } from "./top-bar";

/** The rail shows a live dot for each site, so it follows them all; with more than these, only what a page shows. */
const MOST_FOLLOWED = 24;

/** What is around every page of someone who is signed in. */
export function AppFrame({ children }: { children: ReactNode }) {
  return (
    <SessionGate>
      <FollowSites />
      <a href="#content" className="sr-only z-50 focus:not-sr-only focus:fixed focus:left-4 focus:top-3 focus:rounded-lg focus:bg-ink focus:px-3 focus:py-2 focus:text-canvas">
        Skip to content
      </a>
      <div className="flex min-h-dvh">
        <Rail />
        <div className="flex min-w-0 flex-1 flex-col">
          <TopBar />
          <main id="content" className="mx-auto w-full max-w-[1440px] flex-1 px-4 pb-24 pt-4 sm:px-6 md:pb-8">
            {children}
          </main>
        </div>
      </div>
      <BottomBar />
    </SessionGate>
  );
}

/** Follows the visible sites, and fetches every list again when the person's access changed. */
function FollowSites() {
  const { onAccessChange } = useServices();
  const { mutate } = useSWRConfig();
  const { data } = useSites();
  const sites = data && data.length <= MOST_FOLLOWED ? data.map((site) => site.wire) : [];
  useWatch(sites);
  useEffect(() => onAccessChange(() => void mutate(() => true)), [onAccessChange, mutate]);
  return null;
}

"use client";

import { useState, type ReactNode } from "react";
import { FillHoles } from "@/application/fill-holes";
import { Listeners } from "@/application/listeners";
import { LiveControl } from "@/application/live-control";
import { LivePoints } from "@/application/live-points";
import { LiveTraces } from "@/application/live-traces";
import type { ClientConfig, Services } from "@/application/services";
import { Session } from "@/application/session";
import { WatchSites } from "@/application/watch-sites";
import { AccountApi } from "@/infrastructure/account-api";
import { AuditApi } from "@/infrastructure/audit-api";
import { AuthApi } from "@/infrastructure/auth-api";
import { browserClock } from "@/infrastructure/browser-clock";
import { browserSurroundings } from "@/infrastructure/browser-surroundings";
import { BrowserTabs } from "@/infrastructure/browser-tabs";
import { openClient, sessionClient } from "@/infrastructure/client";
import { ControlApi } from "@/infrastructure/control-api";
import { EquipmentApi } from "@/infrastructure/equipment-api";
import { HistoryApi } from "@/infrastructure/history-api";
import { LiveSocket } from "@/infrastructure/live-socket";
import { newId } from "@/infrastructure/new-id";
import { PeopleApi } from "@/infrastructure/people-api";
import { SiteApi } from "@/infrastructure/site-api";
import { TokenApi } from "@/infrastructure/token-api";
import { ServicesContext } from "@/presentation/services";

/** Enough for a renewed token to be a different one; its life is minutes. */
const ALWAYS = Number.MAX_SAFE_INTEGER;

/** The one place where the ports meet what is behind them. Nothing here touches the network before a page asks. */
function compose(config: ClientConfig): Services {
  const clock = browserClock;
  const auth = new AuthApi(openClient());
  const session = new Session(auth, new BrowserTabs(), clock);
  const client = sessionClient(session);
  const history = new HistoryApi(client);
  const points = new LivePoints(clock);
  const traces = new LiveTraces(clock);
  const holes = new FillHoles(traces, history, clock);
  const accessChanges = new Listeners();
  const liveControl = new LiveControl();
  const link = new LiveSocket({
    url: config.wsUrl,
    clock,
    surroundings: browserSurroundings,
    token: (validFor, renew) => session.token(renew ? ALWAYS : validFor),
    onData: (site, batches) => {
      points.apply(site, batches);
      traces.apply(site, batches);
    },
    onHole: (site, hole) => {
      holes.fill(site, hole);
    },
    onPending: (site, since) => {
      holes.expect(site, since);
    },
    onCommand: (site, event) => {
      liveControl.tellCommand(site, event);
    },
    onControl: (site, event) => {
      liveControl.tellRule(site, event);
    },
    onAccessChanged: () => {
      accessChanges.tell();
    },
    onRevoked: () => {
      void session.confirm().then((goesOn) => {
        if (!goesOn) return;
        // The last site was taken away, but not the account: the link waits for the next one.
        link.stop();
        accessChanges.tell();
      });
    },
  });
  const watch = new WatchSites(link, clock);
  session.subscribe(() => {
    if (session.state().status !== "signed_out") return;
    // The next person at this screen must not see the last one's figures.
    link.stop();
    points.clear();
    liveControl.clear();
    traces.clear();
    holes.clear();
  });
  return {
    auth, session, history, points, traces, holes, link, watch, clock, liveControl, newId,
    account: new AccountApi(client),
    tokens: new TokenApi(client),
    people: new PeopleApi(client),
    audit: new AuditApi(client),
    sites: new SiteApi(client),
    control: new ControlApi(client),
    equipment: new EquipmentApi(client),
    onAccessChange: (listener) => accessChanges.add(listener),
  };
}

export function Composition({ config, children }: { config: ClientConfig; children: ReactNode }) {
  const [services] = useState(() => compose(config));
  return <ServicesContext value={{ services, config }}>{children}</ServicesContext>;
}

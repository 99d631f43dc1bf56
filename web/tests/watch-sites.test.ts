import { expect, it } from "vitest";
import type { LiveLink } from "@/application/ports";
import { WatchSites } from "@/application/watch-sites";
import { ManualClock } from "./manual-clock";

function linkThatNotes(): LiveLink & { readonly told: string[][] } {
  const told: string[][] = [];
  return {
    told,
    watch: (sites) => told.push([...sites]),
    stop: () => undefined,
    subscribe: () => () => undefined,
    page: () => null,
    site: () => ({ status: "live", cause: null, grantStale: false, interval: 0 }),
    skew: () => 0,
  };
}

it("follows a site while anyone looks at it, and a little longer", async () => {
  const clock = new ManualClock();
  const link = linkThatNotes();
  const watch = new WatchSites(link, clock);
  const leaveList = watch.watch(["site_1", "site_2"]);
  const leaveSite = watch.watch(["site_2"]);
  expect(link.told.at(-1)).toEqual(["site_1", "site_2"]);
  leaveList();
  leaveList();
  expect(link.told.at(-1)).toEqual(["site_1", "site_2"]);
  await clock.pass(10_000);
  expect(link.told.at(-1)).toEqual(["site_2"]);
  leaveSite();
  await clock.pass(10_000);
  expect(link.told.at(-1)).toEqual([]);
});

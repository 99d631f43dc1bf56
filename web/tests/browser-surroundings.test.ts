import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Circumstances } from "@/domain/link/interval";
import { browserSurroundings } from "@/infrastructure/browser-surroundings";

class Media extends EventTarget {
  matches = false;
}

/** As much of a browser as is asked about the page. */
function aBrowser() {
  const media = { narrow: new Media(), coarse: new Media() };
  const connection = Object.assign(new EventTarget(), { saveData: false });
  return {
    ...media,
    connection,
    window: Object.assign(new EventTarget(), { matchMedia: (query: string) => (query.includes("pointer") ? media.coarse : media.narrow) }),
    document: Object.assign(new EventTarget(), { visibilityState: "visible" }),
    navigator: { onLine: true, connection },
  };
}

const DESKTOP: Circumstances = { phone: false, saveData: false, hidden: false };
let browser: ReturnType<typeof aBrowser>;
let told: unknown[];

function watch(): () => void {
  return browserSurroundings.watch({
    online: (online) => told.push(online ? "online" : "offline"),
    woken: () => told.push("woken"),
    circumstances: (circumstances) => told.push(circumstances),
  });
}

function change(target: EventTarget, event: string): void {
  told = [];
  target.dispatchEvent(new Event(event));
}

beforeEach(() => {
  [browser, told] = [aBrowser(), []];
  for (const name of ["window", "document", "navigator"] as const) vi.stubGlobal(name, browser[name]);
});

afterEach(() => {
  vi.unstubAllGlobals();
});

it("tells at once how things are", () => {
  watch();
  expect(told).toEqual(["online", DESKTOP]);
});

it("takes a narrow screen and a coarse pointer for a phone, also where that changes", () => {
  browser.coarse.matches = true;
  watch();
  expect(told).toContainEqual({ ...DESKTOP, phone: true });
  browser.coarse.matches = false;
  change(browser.coarse, "change");
  expect(told).toEqual([DESKTOP]);
  browser.narrow.matches = true;
  change(browser.narrow, "change");
  expect(told).toEqual([{ ...DESKTOP, phone: true }]);
});

it("tells when nobody looks, and wakes the link before it asks for more", () => {
  watch();
  browser.document.visibilityState = "hidden";
  change(browser.document, "visibilitychange");
  expect(told).toEqual([{ ...DESKTOP, hidden: true }]);
  browser.document.visibilityState = "visible";
  change(browser.document, "visibilitychange");
  expect(told).toEqual(["woken", DESKTOP]);
});

it("tells of data saver, and says nothing of it where the browser does not", () => {
  const leave = watch();
  browser.connection.saveData = true;
  change(browser.connection, "change");
  expect(told).toEqual([{ ...DESKTOP, saveData: true }]);
  leave();
  vi.stubGlobal("navigator", { onLine: true });
  told = [];
  watch();
  expect(told).toEqual(["online", DESKTOP]);
});

it("tells of the network, and of nothing once it is left", () => {
  const leave = watch();
  browser.navigator.onLine = false;
  change(browser.window, "offline");
  expect(told).toEqual(["offline"]);
  leave();
  for (const [target, event] of [[browser.window, "online"], [browser.document, "visibilitychange"], [browser.narrow, "change"], [browser.connection, "change"]] as const) {
    change(target, event);
    expect(told).toEqual([]);
  }
});

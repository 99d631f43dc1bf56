import type { Tabs } from "@/application/ports";

const LOCK = "ems-refresh";
const CHANNEL = "ems-session";

/** Locks exist only on https and localhost; elsewhere (a phone on plain http) each tab goes alone. */
export class BrowserTabs implements Tabs {
  private readonly channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel(CHANNEL);

  async exclusively<T>(task: () => Promise<T>): Promise<T> {
    const locks = (navigator as { readonly locks?: LockManager }).locks;
    return locks ? await locks.request(LOCK, task) : await task();
  }

  announceSignOut(): void {
    this.channel?.postMessage("signed_out");
  }

  onSignOut(listener: () => void): void {
    this.channel?.addEventListener("message", listener);
  }
}

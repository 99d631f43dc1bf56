import type { ConnectionStatus } from "@/domain/link/connection";

/** A state by shape as well as colour: full is live, half is stale, a turning ring reconnects, an empty ring is offline. */
export function StateDot({ status, className = "size-2" }: { status: ConnectionStatus; className?: string }) {
  return (
    <svg aria-hidden viewBox="0 0 10 10" className={`${className} shrink-0`}>
      {status === "live" ? <circle cx="5" cy="5" r="4.5" fill="var(--ok)" /> : null}
      {status === "stale" ? (
        <>
          <circle cx="5" cy="5" r="4" fill="none" stroke="var(--warn)" strokeWidth="1.6" />
          <path d="M5 1a4 4 0 0 0 0 8z" fill="var(--warn)" />
        </>
      ) : null}
      {status === "reconnecting" ? (
        <circle className="breathe" cx="5" cy="5" r="4" fill="none" stroke="var(--warn)" strokeWidth="1.6" strokeDasharray="4 2.3" />
      ) : null}
      {status === "offline" ? <circle cx="5" cy="5" r="4" fill="none" stroke="var(--faint)" strokeWidth="1.6" /> : null}
    </svg>
  );
}

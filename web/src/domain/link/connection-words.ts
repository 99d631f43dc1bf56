import type { Connection, ConnectionCause, ConnectionStatus } from "./connection";

const LABEL: Readonly<Record<ConnectionStatus, string>> = {
  live: "Live",
  stale: "Stale",
  reconnecting: "Reconnecting",
  offline: "Offline",
};

const SENTENCE: Readonly<Record<ConnectionCause, string>> = {
  connecting: "Opening the live connection.",
  lost: "The live connection broke. It is being opened again; nothing is lost, history fills the gap.",
  no_network: "This device has no network. Check its connection; the page continues by itself.",
  silent: "The live service has gone quiet. The figures may be old; the page keeps trying.",
  source_lost: "The live service does not hear the sites at the moment. The figures may be old; it recovers by itself.",
  data_stopped: "No new values arrive from the site. Check the edge controller's power and network.",
  no_data: "The site has not sent any value yet. Install its edge controller with an API key to begin.",
  refused: "Live values of this site are not available to you.",
  crowded: "More sites are open than can be followed live at once. Open this site by itself to see its values.",
  bad_message: "The page and the live service do not understand each other. Reload the page to get its newest version.",
  forbidden: "Your account has no site with live values. Ask an administrator for access.",
  revoked: "Your access has ended. Sign in again.",
  signed_out: "You are signed out. Sign in again.",
};

export function connectionLabel(connection: Connection): string {
  return connection.cause === "connecting" ? "Connecting" : LABEL[connection.status];
}

export function connectionSentence(connection: Connection): string {
  const sentence = connection.cause ? SENTENCE[connection.cause] : paceSentence(connection.interval);
  return connection.grantStale ? `${sentence} Your access could not be checked lately; the last known is used.` : sentence;
}

function paceSentence(interval: number): string {
  if (interval === 0) return "Values arrive as they are measured.";
  return `New values arrive ${paceWords(interval)}, which spares this device's battery and data.`;
}

/** How often, for an interval of some ms. */
export function paceWords(interval: number): string {
  return interval === 1_000 ? "once a second" : `every ${interval / 1_000} s`;
}

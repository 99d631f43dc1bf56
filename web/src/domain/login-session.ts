/** One sign-in of a person, on one device. Times in ms. */
export interface LoginSession {
  readonly id: string;
  readonly created: number;
  readonly lastUsed: number;
  readonly address: string;
  readonly userAgent: string;
  /** The one that asks. */
  readonly current: boolean;
}

/** In this order: each also calls itself by the names of those after it. */
const BROWSERS = [["Edg", "Edge"], ["OPR", "Opera"], ["Firefox", "Firefox"], ["Chrome", "Chrome"], ["Safari", "Safari"]] as const;
const SYSTEMS = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS X", "macOS"], ["Linux", "Linux"]] as const;

/** "Firefox on Windows", as far as the browser says what it is. */
export function deviceWords(userAgent: string): string {
  const browser = BROWSERS.find(([mark]) => userAgent.includes(`${mark}/`))?.[1];
  const system = SYSTEMS.find(([mark]) => userAgent.includes(mark))?.[1];
  if (browser && system) return `${browser} on ${system}`;
  return browser ?? system ?? (userAgent.slice(0, 60) || "Unknown device");
}

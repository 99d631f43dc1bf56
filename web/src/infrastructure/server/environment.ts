import { z } from "zod";

/** The environment of the web server, read when it is asked for and never at build time. */
const Environment = z.object({
  /** Where the backend answers, seen from this server. */
  EMS_BACKEND_URL: z.url({ protocol: /^https?$/ }).default("http://localhost:8000"),
  /** Where the browser opens its live socket. */
  EMS_WS_URL: z.url({ protocol: /^wss?$/ }).default("ws://localhost:8001/ws"),
  /** Where the browser finds the administration, if not under the backend's own address. */
  EMS_ADMIN_URL: z.url({ protocol: /^https?$/ }).optional(),
});

export type Environment = z.infer<typeof Environment>;

const EXAMPLES: Readonly<Record<string, string>> = {
  EMS_BACKEND_URL: "http://localhost:8000",
  EMS_WS_URL: "ws://localhost:8001/ws",
  EMS_ADMIN_URL: "https://ems.example/admin/",
};

/** Throws an Error that names the variable, what is wrong and what is expected. */
export function readEnvironment(source: Readonly<Record<string, string | undefined>> = process.env): Environment {
  const present = Object.fromEntries(Object.entries(source).filter(([, value]) => value !== ""));
  const result = Environment.safeParse(present);
  if (result.success) return result.data;
  const words = result.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    return `${name}=${JSON.stringify(source[name])} is not an address; set it to something like ${EXAMPLES[name] ?? "a URL"}`;
  });
  throw new Error(`The environment of the web server cannot be used: ${words.join("; ")}`);
}

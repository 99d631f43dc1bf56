import type { ClientConfig } from "@/application/services";
import { publicUrl } from "@/domain/public-url";
import { appendPeers } from "@/infrastructure/server/client-address";
import { readEnvironment } from "@/infrastructure/server/environment";
import { forward } from "@/infrastructure/server/forward";
import { readiness } from "@/infrastructure/server/readiness";
import { contentSecurityPolicy, SECURITY_HEADERS } from "@/infrastructure/server/security-headers";

/** What the server side is made of. Each reads the environment when it is called. */

/** For a page that was opened as `host`. */
export function clientConfig(host: string | null): ClientConfig {
  const environment = readEnvironment();
  return {
    wsUrl: publicUrl(environment.EMS_WS_URL, host),
    adminUrl: environment.EMS_ADMIN_URL ?? publicUrl(new URL("/admin/", environment.EMS_BACKEND_URL).toString(), host),
  };
}

export function pageHeaders(host: string | null, nonce: string): Record<string, string> {
  const policy = contentSecurityPolicy(nonce, clientConfig(host).wsUrl, process.env.NODE_ENV === "development");
  return { ...SECURITY_HEADERS, "Content-Security-Policy": policy };
}

export function forwardToBackend(request: Request): Promise<Response> {
  return forward(request, readEnvironment().EMS_BACKEND_URL);
}

export function checkReadiness(): ReturnType<typeof readiness> {
  return readiness(readEnvironment().EMS_BACKEND_URL);
}

/** Once, when the server starts. */
export function prepareServer(): void {
  appendPeers();
}

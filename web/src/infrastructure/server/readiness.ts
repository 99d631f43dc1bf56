const TIMEOUT_MS = 2_000;

/** Whether this server can do its work: it can, once the backend answers. */
export async function readiness(backendUrl: string): Promise<{ ready: boolean; checks: Record<string, string> }> {
  try {
    const answer = await fetch(new URL("/healthz", backendUrl), { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
    await answer.body?.cancel();
    return { ready: answer.ok, checks: { backend: answer.ok ? "ok" : `answered ${answer.status}` } };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { ready: false, checks: { backend: `cannot be reached: ${error.cause instanceof Error ? error.cause.message : error.message}` } };
  }
}

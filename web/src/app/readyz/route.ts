import { checkReadiness } from "@/composition.server";

export const dynamic = "force-dynamic";

/** 503 with what is missing while the backend cannot be reached. */
export async function GET(): Promise<Response> {
  const { ready, checks } = await checkReadiness();
  const status = ready ? "ready" : "not ready";
  return Response.json({ status, checks }, { status: ready ? 200 : 503, headers: { "Cache-Control": "no-store" } });
}

"use client";

import { ServerOff } from "lucide-react";
import { usePathname, useRouter } from "next/navigation";
import { useEffect, type ReactNode } from "react";
import { useSWRConfig } from "swr";
import { explain } from "@/domain/problem";
import { useSession } from "@/presentation/hooks/use-session";
import { useServices } from "@/presentation/services";
import { Notice } from "@/presentation/ui/notice";

/** Restores the session at load. While it is being asked for, the pages show their skeletons; without one, the login. */
export function SessionGate({ children }: { children: ReactNode }) {
  const { session } = useServices();
  const state = useSession();
  const router = useRouter();
  const pathname = usePathname();
  const { mutate } = useSWRConfig();
  const out = state.status === "signed_out";
  const reason = out ? state.reason : null;

  useEffect(() => {
    void session.restore();
  }, [session]);

  useEffect(() => {
    if (!out) return;
    void mutate(() => true, undefined, { revalidate: false });
    const search = new URLSearchParams();
    if (pathname !== "/" && reason !== "left") search.set("next", pathname + window.location.search);
    if (reason !== null) search.set("reason", reason);
    router.replace(search.size > 0 ? `/login?${search.toString()}` : "/login");
  }, [out, reason, pathname, router, mutate]);

  if (out) return null;
  if (state.status === "unreachable") {
    const { what, remedy } = explain(state.problem);
    return (
      <main className="flex min-h-dvh items-center justify-center">
        <Notice icon={ServerOff} title={what} alarm>
          <p>{remedy} This page keeps trying by itself.</p>
        </Notice>
      </main>
    );
  }
  return children;
}

"use client";

import { UserX } from "lucide-react";
import Link from "next/link";
import { useState, type ReactNode } from "react";
import { Problem } from "@/domain/problem";
import type { Site } from "@/domain/site";
import { useSite } from "@/presentation/hooks/use-data";
import { NotFoundView } from "@/presentation/ui/not-found-view";
import { Notice, ProblemNotice } from "@/presentation/ui/notice";

interface Props {
  readonly id: string;
  readonly skeleton: ReactNode;
  readonly children: (site: Site) => ReactNode;
}

/** The page of one site, for those who may see it. Whoever watches while their access ends is told so. */
export function SiteGate({ id, ...rest }: Props) {
  const number = /^[1-9]\d{0,15}$/.test(id) ? Number(id) : null;
  return number === null ? <NotFoundView /> : <KnownSite key={number} id={number} {...rest} />;
}

function KnownSite({ id, skeleton, children }: Omit<Props, "id"> & { id: number }) {
  const { site, error, retry } = useSite(id);
  const [name, setName] = useState<string | null>(null);
  if (site && site.name !== name) setName(site.name);
  if (site) return children(site);
  if (error === undefined) return skeleton;
  if (!(error instanceof Problem) || error.kind !== "not_found") return <ProblemNotice problem={error} retry={retry} />;
  return name === null ? <NotFoundView /> : <AccessEnded name={name} />;
}

function AccessEnded({ name }: { name: string }) {
  return (
    <div data-testid="access-ended">
      <Notice icon={UserX} title={`You no longer have access to ${name}`}>
        <p>Somebody who manages the site has just changed who may see it, or the site is gone. If you still need it, ask them.</p>
        <Link href="/" className="hairline inline-flex h-8 items-center rounded-lg bg-surface px-3 text-[13px] font-medium text-ink hover:bg-hover">
          Go to the overview
        </Link>
      </Notice>
    </div>
  );
}

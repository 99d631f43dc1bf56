"use client";

import { ChevronRight } from "lucide-react";
import { useState } from "react";
import useSWRInfinite from "swr/infinite";
import type { AuditPage } from "@/application/people-ports";
import { actionName, type AuditEntry, type AuditFilter } from "@/domain/audit";
import type { OwnOrganization } from "@/domain/site";
import { dateTimeSeconds } from "@/domain/when";
import { OPTIONS } from "@/presentation/hooks/use-data";
import { useServices } from "@/presentation/services";
import { Badge } from "@/presentation/ui/badge";
import { Button } from "@/presentation/ui/button";
import { Card } from "@/presentation/ui/card";
import { cx } from "@/presentation/ui/cx";
import { List } from "@/presentation/ui/list";
import { AuditDetails } from "./audit-details";

/** The log, newest first. More of it is fetched when it is asked for. */
export function AuditList({ organization, filter }: { organization: OwnOrganization; filter: AuditFilter }) {
  const { audit } = useServices();
  const { data, error, mutate, size, setSize, isValidating } = useSWRInfinite(
    (index, before: AuditPage | null) => (index > 0 && before?.older === null ? null : (["audit", organization.id, JSON.stringify(filter), before?.older ?? null] as const)),
    ([, , , place]) => audit.entries(organization.id, filter, place),
    { ...OPTIONS, revalidateFirstPage: false, revalidateOnFocus: false },
  );
  const entries = data?.flatMap((page) => page.entries);
  const last = data?.at(-1);
  return (
    <Card className="overflow-hidden">
      <List data={{ data: entries, error: error, mutate }} label="Audit log" skeletons={8} empty="Nothing in the log matches. Widen the time or take a filter away.">
        {(entry) => <EntryRow key={entry.id} entry={entry} />}
      </List>
      {entries && entries.length > 0 ? (
        <footer className="flex flex-wrap items-center justify-between gap-3 border-t px-4 py-3">
          <p className="text-xs text-faint">{countWords(entries.length, last?.count ?? 0)}</p>
          {last?.older ? (
            <Button disabled={isValidating} onClick={() => void setSize(size + 1)}>
              {isValidating ? "Loading…" : "Show older entries"}
            </Button>
          ) : null}
        </footer>
      ) : null}
    </Card>
  );
}

const COUNTED_UP_TO = 10_000;

function countWords(shown: number, all: number): string {
  if (all <= shown) return shown === 1 ? "1 entry" : `${shown} entries`;
  return `${shown} of ${all >= COUNTED_UP_TO ? `more than ${COUNTED_UP_TO}` : all} entries`;
}

function EntryRow({ entry }: { entry: AuditEntry }) {
  const [open, setOpen] = useState(false);
  const details = `audit-${entry.id}`;
  return (
    <li data-testid="audit-entry">
      <button
        type="button"
        aria-expanded={open}
        aria-controls={details}
        onClick={() => { setOpen(!open); }}
        className="grid w-full grid-cols-[1rem_minmax(0,1fr)] items-baseline gap-x-3 px-4 py-2.5 text-left text-[13px] hover:bg-hover md:grid-cols-[1rem_11rem_minmax(0,14rem)_minmax(0,1fr)]"
      >
        <ChevronRight aria-hidden className={cx("size-3.5 self-center text-faint transition-transform", open && "rotate-90")} />
        <time dateTime={new Date(entry.at).toISOString()} className="whitespace-nowrap text-xs tabular-nums text-quiet">
          {dateTimeSeconds(entry.at)}
        </time>
        <span className="col-start-2 min-w-0 truncate md:col-start-auto">{entry.actor || "The system"}</span>
        <span className="col-start-2 flex min-w-0 flex-wrap items-center gap-x-2 gap-y-1 md:col-start-auto">
          <span className="font-medium">{actionName(entry.action)}</span>
          <span className="min-w-0 truncate text-quiet">{entry.target}</span>
          {entry.outcome === "denied" ? <Badge tone="alarm">Denied</Badge> : null}
        </span>
      </button>
      {open ? (
        <div id={details} className="border-t bg-sunken px-4 py-3 md:pl-11">
          <AuditDetails entry={entry} />
        </div>
      ) : null}
    </li>
  );
}

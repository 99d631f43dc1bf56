import { ArrowRight } from "lucide-react";
import { changesOf, type AuditEntry, type Change } from "@/domain/audit";
import { useSites } from "@/presentation/hooks/use-data";

/** What one entry says beside its headline: what changed, and where it came from. Names are text, whatever is in them. */
export function AuditDetails({ entry }: { entry: AuditEntry }) {
  const { data: sites } = useSites();
  const site = entry.site === null ? "" : (sites?.find((each) => each.id === entry.site)?.name ?? `site ${entry.site}`);
  const changes = changesOf(entry.before, entry.after);
  const facts: [string, string][] = [
    ["Action", entry.action],
    ["Site", site],
    ["Address", entry.address],
    ["Request", entry.requestId],
    ...changesOf(null, entry.details).map((change): [string, string] => [change.field, change.after ?? ""]),
  ];
  return (
    <div className="space-y-4">
      {changes.length > 0 ? <Changes changes={changes} /> : null}
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-xs">
        {facts.filter(([, value]) => value !== "").map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-faint">{name}</dt>
            <dd className="min-w-0">{value}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

function Changes({ changes }: { changes: readonly Change[] }) {
  return (
    <table className="w-full table-fixed border-collapse text-xs">
      <caption className="sr-only">What changed</caption>
      <thead className="text-left text-faint">
        <tr>
          <th scope="col" className="w-28 py-1 pr-3 font-normal sm:w-44">Field</th>
          <th scope="col" className="py-1 font-normal">Before and after</th>
        </tr>
      </thead>
      <tbody className="divide-y">
        {changes.map(({ field, before, after }) => (
          <tr key={field} className="align-top">
            <th scope="row" className="py-1.5 pr-3 text-left font-medium">{field}</th>
            <td className="py-1.5">
              <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
                {before === null ? null : <del className="rounded bg-alarm-soft px-1 text-alarm no-underline">{before}</del>}
                {before !== null && after !== null ? <ArrowRight aria-label="became" className="size-3 text-faint" /> : null}
                {after === null ? null : <ins className="rounded bg-ok-soft px-1 text-ok no-underline">{after}</ins>}
              </span>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

"use client";

import { Download } from "lucide-react";
import type { ExportFormat } from "@/application/people-ports";
import type { AuditFilter } from "@/domain/audit";
import { wordsAbove } from "@/domain/form";
import type { OwnOrganization } from "@/domain/site";
import { useSending } from "@/presentation/hooks/use-form";
import { saveFile } from "@/presentation/save-file";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";

const FORMATS: readonly { format: ExportFormat; label: string }[] = [
  { format: "csv", label: "CSV" },
  { format: "ndjson", label: "NDJSON" },
];

/** What the filters show, as a file. */
export function ExportButtons({ organization, filter }: { organization: OwnOrganization; filter: AuditFilter }) {
  const { audit } = useServices();
  const { busy, problem, send } = useSending();
  const save = (format: ExportFormat) =>
    send(async () => {
      saveFile(await audit.export(organization.id, filter, format), `audit-${organization.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}.${format}`);
    });
  return (
    <>
      {FORMATS.map(({ format, label }) => (
        <Button key={format} disabled={busy} onClick={() => void save(format)} aria-label={`Export as ${label}`}>
          <Download aria-hidden className="size-3.5" />
          {label}
        </Button>
      ))}
      {problem ? <p role="alert" className="w-full text-xs text-alarm">{wordsAbove(problem, [])}</p> : null}
    </>
  );
}

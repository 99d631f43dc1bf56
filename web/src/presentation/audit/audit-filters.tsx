"use client";

import { X } from "lucide-react";
import { useState } from "react";
import { NO_FILTER, OUTCOMES, SPANS, spanStart, type AuditFilter, type SpanKey } from "@/domain/audit";
import type { OwnOrganization } from "@/domain/site";
import { localInput } from "@/domain/when";
import { useSites } from "@/presentation/hooks/use-data";
import { useServices } from "@/presentation/services";
import { IconButton } from "@/presentation/ui/button";
import { Field, SelectField } from "@/presentation/ui/field";

interface Props {
  readonly organization: OwnOrganization;
  readonly filter: AuditFilter;
  readonly onChange: (filter: AuditFilter) => void;
}

const OWN = "own";
const SPAN_OPTIONS = [...SPANS.map(({ key, label }) => ({ value: key, label })), { value: OWN, label: "From … to …" }];

/** What is asked for. Choices apply at once, what is typed when it is finished. */
export function AuditFilters({ organization, filter, onChange }: Props) {
  const { clock } = useServices();
  const { data } = useSites();
  const [span, setSpan] = useState<string>("all");
  const [form, setForm] = useState(0);
  const sites = (data ?? []).filter((site) => site.organization.id === organization.id);
  const set = (change: Partial<AuditFilter>) => {
    onChange({ ...filter, ...change });
  };
  const chooseSpan = (key: string) => {
    setSpan(key);
    if (key !== OWN) set({ from: spanStart(key as SpanKey, clock.now()), to: null });
  };
  const changed = Object.entries(NO_FILTER).some(([name, value]) => filter[name as keyof AuditFilter] !== value);
  return (
    <form
      key={form}
      role="search"
      aria-label="Filter the audit log"
      className="grid grid-cols-2 items-end gap-3 sm:grid-cols-3 lg:grid-cols-[repeat(6,minmax(0,1fr))_auto]"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <TextFilter label="Search" placeholder="Any word" value={filter.search} onCommit={(search) => { set({ search }); }} />
      <TextFilter label="Who" placeholder="E-mail" value={filter.actor} onCommit={(actor) => { set({ actor }); }} />
      <TextFilter label="Action" placeholder="site_access" value={filter.action} onCommit={(action) => { set({ action }); }} />
      <SelectField label="When" value={span} onChange={(event) => { chooseSpan(event.target.value); }} options={SPAN_OPTIONS} />
      <SelectField
        label="Site"
        value={filter.site ?? ""}
        onChange={(event) => { set({ site: event.target.value === "" ? null : Number(event.target.value) }); }}
        options={[{ value: "", label: "Any" }, ...sites.map((site) => ({ value: String(site.id), label: site.name }))]}
      />
      <SelectField label="Outcome" value={filter.outcome} onChange={(event) => { set({ outcome: OUTCOMES.find(({ value }) => value === event.target.value)?.value ?? "" }); }} options={[{ value: "", label: "Any" }, ...OUTCOMES]} />
      <IconButton
        label="Take all filters away"
        disabled={!changed && span !== OWN}
        className="hairline size-10 border-line-strong disabled:hidden disabled:opacity-30 lg:disabled:inline-flex"
        onClick={() => {
          setSpan("all");
          setForm(form + 1);
          onChange(NO_FILTER);
        }}
      >
        <X aria-hidden className="size-4" />
      </IconButton>
      {span === OWN ? (
        <>
          <Field label="From" type="datetime-local" onChange={(event) => { set({ from: localInput(event.target.value) }); }} className="col-span-2 sm:col-span-1" />
          <Field label="To" type="datetime-local" onChange={(event) => { set({ to: localInput(event.target.value) }); }} className="col-span-2 sm:col-span-1" />
        </>
      ) : null}
    </form>
  );
}

function TextFilter({ label, placeholder, value, onCommit }: { label: string; placeholder: string; value: string; onCommit: (text: string) => void }) {
  const commit = (text: string) => {
    if (text.trim() !== value) onCommit(text.trim());
  };
  return (
    <Field
      label={label}
      type="search"
      placeholder={placeholder}
      defaultValue={value}
      onBlur={(event) => { commit(event.target.value); }}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit(event.currentTarget.value);
      }}
    />
  );
}

"use client";

import { useState } from "react";
import { expiryAfter, LIFETIMES, SCOPES, scopeAllows, scopeName } from "@/domain/access-token";
import { Problem } from "@/domain/problem";
import { isSiteRole, SITE_ROLES } from "@/domain/roles";
import type { OwnOrganization } from "@/domain/site";
import { useSites } from "@/presentation/hooks/use-data";
import { useForm } from "@/presentation/hooks/use-form";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Dialog, FormEnd } from "@/presentation/ui/dialog";
import { Check, Field, SelectField } from "@/presentation/ui/field";
import { FieldGroup } from "@/presentation/ui/field-group";
import { FormAlert } from "@/presentation/ui/form-alert";
import { OnlyOnce, Secret } from "@/presentation/ui/secret";

interface Props {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly organization: OwnOrganization | null;
  readonly onMade: () => Promise<unknown>;
}

/** Asks what a token is for, then shows it this once. */
export function NewTokenDialog({ open, onOpenChange, organization, onMade }: Props) {
  const [made, setMade] = useState<{ name: string; text: string } | null>(null);
  const close = (next: boolean) => {
    // It is not kept a moment longer than it is shown.
    setMade(null);
    onOpenChange(next);
  };
  return (
    <Dialog open={open} onOpenChange={close} title={made ? `The token ${made.name}` : organization ? `New token of ${organization.name}` : "New access token"}>
      {made ? (
        <div className="space-y-4">
          <OnlyOnce what="The token is made." />
          <Secret label="Token" value={made.text} testId="new-token" />
          <FormEnd>
            <Button look="primary" onClick={() => { close(false); }}>
              I have copied it
            </Button>
          </FormEnd>
        </div>
      ) : (
        <TokenForm
          organization={organization}
          onMade={async (name, text) => {
            setMade({ name, text });
            await onMade();
          }}
        />
      )}
    </Dialog>
  );
}

function missing(field: string, message: string): Problem {
  return new Problem("invalid", null, [{ field, message }]);
}

function TokenForm({ organization, onMade }: { organization: OwnOrganization | null; onMade: (name: string, text: string) => Promise<void> }) {
  const { tokens, clock } = useServices();
  const { data } = useSites();
  const [every, setEvery] = useState(true);
  const sites = (data ?? []).filter((site) => organization === null || site.organization.id === organization.id);
  // An organization's token has a role on the sites that are named; nobody's role on all sites is nobody's to give.
  const choose = organization !== null || !every;
  const form = useForm(["name", "scopes", "sites", "expires", "role"], async (values) => {
    const [scopes, named, role] = [values.all("scopes"), values.all("sites").map(Number), values.text("role")];
    if (scopes.length === 0) throw missing("scopes", "Choose at least one.");
    if (choose && named.length === 0) throw missing("sites", "Choose at least one site.");
    const { text } = await tokens.create({
      name: values.trimmed("name"),
      scopes,
      sites: choose ? named : null,
      expires: expiryAfter(Number(values.text("lifetime")), clock.now()),
      ...(organization && isSiteRole(role) ? { organization: organization.id, role } : {}),
    });
    await onMade(values.trimmed("name"), text);
  });
  return (
    <form onSubmit={form.onSubmit} className="space-y-4">
      {form.words ? <FormAlert text={form.words} /> : null}
      <Field label="Name" name="name" required autoFocus maxLength={100} placeholder="Nightly export" hint="What will use it." problem={form.wrong("name")} />
      <FieldGroup label="It may" problem={form.wrong("scopes")} wide>
        {SCOPES.map((scope) => (
          <Check key={scope} name="scopes" value={scope} defaultChecked={scope === "read"} label={scopeName(scope)} hint={scopeAllows(scope)} />
        ))}
      </FieldGroup>
      {organization ? (
        <SelectField label="Role on its sites" name="role" problem={form.wrong("role")} hint="What it may do is what both this role and the choices above allow." options={Object.entries(SITE_ROLES).map(([value, { name }]) => ({ value, label: name }))} />
      ) : null}
      <FieldGroup label="On which sites" problem={form.wrong("sites")}>
        {organization ? null : (
          <Check label="All sites that I have access to" checked={every} onChange={(event) => { setEvery(event.target.checked); }} />
        )}
        {choose ? sites.map((site) => <Check key={site.id} name="sites" value={site.id} label={site.name} />) : null}
      </FieldGroup>
      <SelectField label="Expires after" name="lifetime" defaultValue="90" problem={form.wrong("expires")} options={LIFETIMES.map(({ days, label }) => ({ value: String(days), label }))} />
      <FormEnd>
        <Button type="submit" look="primary" disabled={form.busy}>
          {form.busy ? "Making…" : "Make the token"}
        </Button>
      </FormEnd>
    </form>
  );
}

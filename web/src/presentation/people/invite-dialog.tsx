"use client";

import { useState } from "react";
import type { SiteGrant } from "@/domain/people";
import { isMemberRole, isSiteRole, MEMBER_ROLES, SITE_ROLES } from "@/domain/roles";
import type { OwnOrganization } from "@/domain/site";
import { useSites } from "@/presentation/hooks/use-data";
import { useForm } from "@/presentation/hooks/use-form";
import { useRefreshPeople } from "@/presentation/hooks/use-people";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Dialog, FormEnd } from "@/presentation/ui/dialog";
import { Field, Select, SelectField } from "@/presentation/ui/field";
import { FieldGroup } from "@/presentation/ui/field-group";
import { FormAlert } from "@/presentation/ui/form-alert";

interface Props {
  readonly organization: OwnOrganization;
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
}

export function InviteDialog({ organization, open, onOpenChange }: Props) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={`Invite to ${organization.name}`} lead="They get an e-mail with a link that works once.">
      <InviteForm
        organization={organization}
        onInvited={() => {
          onOpenChange(false);
        }}
      />
    </Dialog>
  );
}

const NO_ROLE = "";
const SITE_OPTIONS = [{ value: NO_ROLE, label: "No access" }, ...Object.entries(SITE_ROLES).map(([value, { name }]) => ({ value, label: name }))];

function InviteForm({ organization, onInvited }: { organization: OwnOrganization; onInvited: () => void }) {
  const { people } = useServices();
  const { data } = useSites();
  const refresh = useRefreshPeople();
  const [role, setRole] = useState<keyof typeof MEMBER_ROLES>("member");
  const sites = (data ?? []).filter((site) => site.organization.id === organization.id);
  const { needsSites, allows } = MEMBER_ROLES[role];
  const form = useForm(["email", "role", "sites"], async (values) => {
    const given = sites.flatMap((site): SiteGrant[] => {
      const chosen = values.text(`site-${site.id}`);
      return isSiteRole(chosen) ? [{ site: site.id, role: chosen }] : [];
    });
    await people.invite({ organization: organization.id, email: values.trimmed("email"), role, sites: needsSites ? given : [] });
    await refresh();
    onInvited();
  });
  return (
    <form onSubmit={form.onSubmit} className="space-y-4">
      {form.words ? <FormAlert text={form.words} /> : null}
      <Field label="E-mail" name="email" type="email" autoComplete="off" required autoFocus problem={form.wrong("email")} />
      <SelectField
        label="Role in the organization"
        name="role"
        value={role}
        onChange={(event) => {
          if (isMemberRole(event.target.value)) setRole(event.target.value);
        }}
        hint={allows}
        problem={form.wrong("role")}
        options={Object.entries(MEMBER_ROLES).map(([value, { name }]) => ({ value, label: name }))}
      />
      {needsSites ? (
        <FieldGroup label="Roles on sites" problem={form.wrong("sites")}>
          {sites.map((site) => (
            <div key={site.id} className="flex items-center gap-3">
              <span className="min-w-0 flex-1 truncate text-[13px]">{site.name}</span>
              <Select name={`site-${site.id}`} aria-label={`Role on ${site.name}`} defaultValue={NO_ROLE} options={SITE_OPTIONS} className="w-36" />
            </div>
          ))}
          {sites.length === 0 ? <p className="text-[13px] text-quiet">The organization has no sites yet; they can be given later.</p> : null}
        </FieldGroup>
      ) : null}
      <FormEnd>
        <Button type="submit" look="primary" disabled={form.busy}>
          {form.busy ? "Inviting…" : "Send the invitation"}
        </Button>
      </FormEnd>
    </form>
  );
}

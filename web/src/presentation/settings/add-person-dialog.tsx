"use client";

import { isSiteRole, roleName, SITE_ROLES } from "@/domain/roles";
import type { Site } from "@/domain/site";
import { useForm } from "@/presentation/hooks/use-form";
import { useRefreshPeople } from "@/presentation/hooks/use-people";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Dialog, FormEnd } from "@/presentation/ui/dialog";
import { Field } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";
import { RadioCards } from "@/presentation/ui/radio-cards";

export function AddPersonDialog({ site, open, onOpenChange }: { site: Site; open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={`Add a person to ${site.name}`} lead={`A member of ${site.organization.name} gets the role at once. Somebody new gets an invitation by e-mail.`}>
      <AddForm
        site={site}
        onDone={() => {
          onOpenChange(false);
        }}
      />
    </Dialog>
  );
}

function AddForm({ site, onDone }: { site: Site; onDone: () => void }) {
  const { people } = useServices();
  const refresh = useRefreshPeople();
  const [first] = site.grantable;
  const form = useForm(["email", "role"], async (values) => {
    const role = values.text("role");
    if (!isSiteRole(role)) return;
    const email = values.trimmed("email");
    if (values.has("invite")) await people.invite({ organization: site.organization.id, email, role: "member", sites: [{ site: site.id, role }] });
    else await people.grant(site.id, email, role);
    await refresh();
    onDone();
  });
  const unknown = form.wrong("email") !== undefined;
  return (
    <form onSubmit={form.onSubmit} className="space-y-4">
      {form.words ? <FormAlert text={form.words} /> : null}
      <Field label="E-mail" name="email" type="email" autoComplete="off" required autoFocus problem={form.wrong("email")} />
      <RadioCards
        label="Role"
        name="role"
        defaultValue={first ?? ""}
        problem={form.wrong("role")}
        options={site.grantable.map((role) => ({ value: role, label: roleName(role), note: SITE_ROLES[role].allows }))}
      />
      <FormEnd>
        {/* The server says the same of an unknown address and of somebody who is no member: an invitation helps in both cases. */}
        {unknown ? (
          <Button type="submit" name="invite" value="yes" disabled={form.busy}>
            Invite by e-mail
          </Button>
        ) : null}
        <Button type="submit" look="primary" disabled={form.busy}>
          {form.busy ? "Adding…" : "Add to the site"}
        </Button>
      </FormEnd>
    </form>
  );
}

"use client";

import { UserPlus } from "lucide-react";
import { useState } from "react";
import { wordsAbove } from "@/domain/form";
import { initials, nameOf, type ExplainedAccess, type SiteAccess } from "@/domain/people";
import { actionWords, isSiteRole, roleName, SITE_ROLES } from "@/domain/roles";
import type { Site } from "@/domain/site";
import { useSending } from "@/presentation/hooks/use-form";
import { usePeopleOfSite, useRefreshPeople } from "@/presentation/hooks/use-people";
import { useServices } from "@/presentation/services";
import { Badge } from "@/presentation/ui/badge";
import { Button } from "@/presentation/ui/button";
import { Confirm } from "@/presentation/ui/confirm";
import { Select } from "@/presentation/ui/field";
import { List } from "@/presentation/ui/list";
import { Avatar, Row } from "@/presentation/ui/row";
import { Section } from "@/presentation/ui/section";
import { AddPersonDialog } from "./add-person-dialog";

/** Who may do what on the site, and why: given here, or coming from elsewhere. */
export function SitePeopleSection({ site }: { site: Site }) {
  const [adding, setAdding] = useState(false);
  const people = usePeopleOfSite(site.id);
  return (
    <Section
      title="People"
      lead={
        <dl className="space-y-2">
          {Object.values(SITE_ROLES).map(({ name, allows }) => (
            <div key={name}>
              <dt className="inline font-medium text-ink">{name}: </dt>
              <dd className="inline">{allows}</dd>
            </div>
          ))}
        </dl>
      }
      action={
        site.grantable.length > 0 ? (
          <Button onClick={() => { setAdding(true); }}>
            <UserPlus aria-hidden className="size-3.5" />
            Add a person…
          </Button>
        ) : undefined
      }
    >
      <List data={people} label="People of the site" skeletons={4} empty="Nobody has a role on this site yet. Add a member of the organization.">
        {(one) => <PersonRow key={one.person.id} one={one} site={site} />}
      </List>
      <AddPersonDialog site={site} open={adding} onOpenChange={setAdding} />
    </Section>
  );
}

function PersonRow({ one, site }: { one: ExplainedAccess; site: Site }) {
  const name = nameOf(one.person);
  // What the server would refuse is not offered: a role that is not weaker than one's own.
  const given = one.granted !== null && site.grantable.includes(one.granted.role) ? one.granted : null;
  return (
    <Row
      data-testid="site-person"
      className="items-start"
      lead={<Avatar letters={initials(name)} />}
      title={
        <>
          <span className="min-w-0 truncate">{name}</span>
          {one.service ? <Badge title="An access token of the organization acts through it">Program</Badge> : null}
          {given ? null : one.role === null ? <Badge tone="warn">No access</Badge> : <Badge tone="accent">{roleName(one.role)}</Badge>}
        </>
      }
      note={
        <div className="w-full space-y-0.5">
          {one.service ? null : <p className="truncate">{one.person.email}</p>}
          {one.actions.length > 0 ? <p className="text-faint">May {listed(one.actions.map(actionWords))}</p> : null}
          <p className="text-faint">{one.because.join(" ")}</p>
        </div>
      }
    >
      {given ? <GivenRole given={given} site={site} /> : null}
    </Row>
  );
}

function GivenRole({ given, site }: { given: SiteAccess; site: Site }) {
  const { people } = useServices();
  const refresh = useRefreshPeople();
  const { busy, problem, send } = useSending();
  const [removing, setRemoving] = useState(false);
  const name = nameOf(given.person);
  const change = (role: string) => {
    if (!isSiteRole(role)) return;
    void send(async () => {
      await people.changeGrant(given.id, role);
      await refresh();
    });
  };
  return (
    <>
      <Select
        aria-label={`Role of ${name}`}
        disabled={busy}
        value={given.role}
        options={site.grantable.map((role) => ({ value: role, label: roleName(role) }))}
        onChange={(event) => {
          change(event.target.value);
        }}
      />
      <Button onClick={() => { setRemoving(true); }} aria-label={`Remove ${name}`}>
        Remove
      </Button>
      {problem ? <p role="alert" className="w-full text-xs text-alarm">{wordsAbove(problem, [])}</p> : null}
      <Confirm
        open={removing}
        onOpenChange={setRemoving}
        title={`Remove ${name} from ${site.name}?`}
        action={`Remove ${name}`}
        onConfirm={async () => {
          await people.revokeGrant(given.id);
          await refresh();
        }}
      >
        <p>The site disappears from every screen of theirs at once. They stay in {site.organization.name}.</p>
      </Confirm>
    </>
  );
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}

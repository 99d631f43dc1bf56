"use client";

import { useState } from "react";
import { wordsAbove } from "@/domain/form";
import { initials, nameOf, type Member } from "@/domain/people";
import { isMemberRole, MEMBER_ROLES } from "@/domain/roles";
import type { OwnOrganization } from "@/domain/site";
import { useSending } from "@/presentation/hooks/use-form";
import { useMembers, useRefreshPeople } from "@/presentation/hooks/use-people";
import { useSession } from "@/presentation/hooks/use-session";
import { useServices } from "@/presentation/services";
import { Badge } from "@/presentation/ui/badge";
import { Button } from "@/presentation/ui/button";
import { Confirm } from "@/presentation/ui/confirm";
import { Select } from "@/presentation/ui/field";
import { List } from "@/presentation/ui/list";
import { Avatar, Row } from "@/presentation/ui/row";
import { Section } from "@/presentation/ui/section";

const ROLE_OPTIONS = Object.entries(MEMBER_ROLES).map(([value, { name }]) => ({ value, label: name }));

export function MembersSection({ organization }: { organization: OwnOrganization }) {
  const members = useMembers(organization.id);
  return (
    <Section
      title="Members"
      lead={
        <dl className="space-y-2">
          {Object.values(MEMBER_ROLES).map(({ name, allows }) => (
            <div key={name}>
              <dt className="inline font-medium text-ink">{name}: </dt>
              <dd className="inline">{allows}</dd>
            </div>
          ))}
        </dl>
      }
    >
      <List data={members} label="Members" skeletons={5} empty="Nobody belongs to this organization yet. Invite the first person.">
        {(member) => <MemberRow key={member.id} member={member} organization={organization} />}
      </List>
    </Section>
  );
}

function MemberRow({ member, organization }: { member: Member; organization: OwnOrganization }) {
  const { people } = useServices();
  const session = useSession();
  const refresh = useRefreshPeople();
  const { busy, problem, send } = useSending();
  const [removing, setRemoving] = useState(false);
  const name = nameOf(member.person);
  const own = session.status === "signed_in" && session.user.id === member.person.id;
  const change = (role: string) => {
    if (!isMemberRole(role)) return;
    void send(async () => {
      await people.changeMember(member.id, role);
      await refresh();
    });
  };
  return (
    <Row
      data-testid="member"
      lead={<Avatar letters={initials(name)} />}
      title={
        <>
          <span className="min-w-0 truncate">{name}</span>
          {own ? <Badge>You</Badge> : null}
          {member.active ? null : <Badge tone="warn" title="Cannot sign in">Inactive</Badge>}
        </>
      }
      note={
        <>
          <span className="min-w-0 truncate">{member.person.email}</span>
          {problem ? <span role="alert" className="w-full text-alarm">{wordsAbove(problem, [])}</span> : null}
        </>
      }
    >
      <Select
        aria-label={`Role of ${name}`}
        options={ROLE_OPTIONS}
        value={member.role}
        disabled={busy}
        onChange={(event) => {
          change(event.target.value);
        }}
      />
      <Button onClick={() => { setRemoving(true); }} aria-label={own ? `Leave ${organization.name}` : `Remove ${name}`}>
        {own ? "Leave" : "Remove"}
      </Button>
      <Confirm
        open={removing}
        onOpenChange={setRemoving}
        title={own ? `Leave ${organization.name}?` : `Remove ${name} from ${organization.name}?`}
        action={own ? `Leave ${organization.name}` : `Remove ${name}`}
        onConfirm={async () => {
          await people.removeMember(member.id);
          await refresh();
        }}
      >
        <p>
          {own ? "You lose" : `${name} loses`} every site of the organization at once, on every screen that is open. The account itself
          stays{own ? "" : ", and so do other organizations"}. Coming back takes a new invitation.
        </p>
      </Confirm>
    </Row>
  );
}

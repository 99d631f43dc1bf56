"use client";

import { UserPlus } from "lucide-react";
import { useState } from "react";
import type { OwnOrganization } from "@/domain/site";
import { useInvitations } from "@/presentation/hooks/use-people";
import { OrganizationGate, OrganizationHead } from "@/presentation/organization/organization-gate";
import { TokensSection } from "@/presentation/tokens/tokens-section";
import { Button } from "@/presentation/ui/button";
import { InvitationsSection } from "./invitations-section";
import { InviteDialog } from "./invite-dialog";
import { MembersSection } from "./members-section";

export function PeoplePage({ id }: { id: string }) {
  return <OrganizationGate id={id}>{(organization) => <People organization={organization} />}</OrganizationGate>;
}

function People({ organization }: { organization: OwnOrganization }) {
  const [inviting, setInviting] = useState(false);
  const invitations = useInvitations(organization.id);
  return (
    <div className="mx-auto max-w-5xl space-y-6">
      <OrganizationHead organization={organization} page="people">
        <Button look="primary" onClick={() => { setInviting(true); }}>
          <UserPlus aria-hidden className="size-4" strokeWidth={1.75} />
          Invite
        </Button>
      </OrganizationHead>
      <MembersSection organization={organization} />
      <InvitationsSection invitations={invitations} organization={organization} onInvite={() => { setInviting(true); }} />
      <TokensSection owner={{ organization: organization.id }} organization={organization} />
      <InviteDialog organization={organization} open={inviting} onOpenChange={setInviting} />
    </div>
  );
}

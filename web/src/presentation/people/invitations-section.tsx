"use client";

import { Mail } from "lucide-react";
import { useState } from "react";
import type { SWRResponse } from "swr";
import { wordsAbove } from "@/domain/form";
import type { Invitation } from "@/domain/people";
import { roleName } from "@/domain/roles";
import type { OwnOrganization } from "@/domain/site";
import { untilWord } from "@/domain/when";
import { useSites } from "@/presentation/hooks/use-data";
import { useSending } from "@/presentation/hooks/use-form";
import { useNow } from "@/presentation/hooks/use-now";
import { useRefreshPeople } from "@/presentation/hooks/use-people";
import { useServices } from "@/presentation/services";
import { Badge } from "@/presentation/ui/badge";
import { Button } from "@/presentation/ui/button";
import { Confirm } from "@/presentation/ui/confirm";
import { Facts } from "@/presentation/ui/facts";
import { List } from "@/presentation/ui/list";
import { Row } from "@/presentation/ui/row";
import { Section } from "@/presentation/ui/section";

export function InvitationsSection({ invitations, organization, onInvite }: {
  invitations: SWRResponse<Invitation[], unknown>; organization: OwnOrganization; onInvite: () => void;
}) {
  return (
    <Section title="Invitations" lead="Who was asked to join and has not answered yet. A link works once, for its address only." action={<Button onClick={onInvite}>Invite…</Button>}>
      <List data={invitations} label="Invitations" skeletons={1} empty={`No invitation is open. Invite people by e-mail to bring them into ${organization.name}.`}>
        {(invitation) => <InvitationRow key={invitation.id} invitation={invitation} />}
      </List>
    </Section>
  );
}

const DELIVERY = {
  waiting: { words: "E-mail on its way", tone: "plain" },
  sent: null,
  refused: { words: "E-mail refused", tone: "alarm" },
} as const;

function InvitationRow({ invitation }: { invitation: Invitation }) {
  const { people } = useServices();
  const { data: sites } = useSites();
  const now = useNow();
  const refresh = useRefreshPeople();
  const { busy, problem, send } = useSending();
  const [sent, setSent] = useState(false);
  const [asking, setAsking] = useState(false);
  const over = invitation.expires <= now;
  const delivery = DELIVERY[invitation.delivery];
  const given = invitation.sites.map(({ site, role }) => `${sites?.find((each) => each.id === site)?.name ?? `site ${site}`} as ${roleName(role).toLowerCase()}`);
  const resend = () =>
    send(async () => {
      await people.resend(invitation.id);
      setSent(true);
      await refresh();
    });
  return (
    <Row
      data-testid="invitation"
      lead={<Mail aria-hidden className="size-5 shrink-0 text-faint" strokeWidth={1.5} />}
      title={
        <>
          <span className="min-w-0 truncate">{invitation.email}</span>
          <Badge>{roleName(invitation.role)}</Badge>
          {over ? <Badge tone="warn">Expired</Badge> : delivery ? <Badge tone={delivery.tone}>{delivery.words}</Badge> : null}
        </>
      }
      note={
        <>
          <Facts
            items={[
              given.join(", "),
              over ? "the link no longer works" : `expires ${untilWord(invitation.expires, now)}`,
              sent ? <span key="sent" role="status" className="text-ok">a new link is on its way</span> : null,
            ]}
          />
          {problem ? <span role="alert" className="w-full text-alarm">{wordsAbove(problem, [])}</span> : null}
        </>
      }
    >
      <Button disabled={busy} onClick={() => void resend()} aria-label={`Send a new link to ${invitation.email}`}>
        Send again
      </Button>
      <Button onClick={() => { setAsking(true); }} aria-label={`Withdraw the invitation of ${invitation.email}`}>
        Withdraw
      </Button>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={`Withdraw the invitation of ${invitation.email}?`}
        action="Withdraw the invitation"
        onConfirm={async () => {
          await people.withdraw(invitation.id);
          await refresh();
        }}
      >
        <p>The link in the message stops working at once.</p>
      </Confirm>
    </Row>
  );
}

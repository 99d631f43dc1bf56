"use client";

import { Laptop, Smartphone } from "lucide-react";
import { useState } from "react";
import useSWR from "swr";
import { deviceWords, type LoginSession } from "@/domain/login-session";
import { OPTIONS } from "@/presentation/hooks/use-data";
import { useServices } from "@/presentation/services";
import { Badge } from "@/presentation/ui/badge";
import { Button } from "@/presentation/ui/button";
import { Confirm } from "@/presentation/ui/confirm";
import { Facts } from "@/presentation/ui/facts";
import { List } from "@/presentation/ui/list";
import { Row } from "@/presentation/ui/row";
import { Section } from "@/presentation/ui/section";
import { Ago } from "@/presentation/ui/when";

export const SESSIONS = "login-sessions";

export function SessionsSection() {
  const { account } = useServices();
  const sessions = useSWR<LoginSession[], unknown>(SESSIONS, () => account.sessions(), OPTIONS);
  return (
    <Section title="Signed in" lead="Every device that is signed in as you. End what you do not know, then change your password.">
      <List data={sessions} label="Sessions" empty="No session is open.">
        {(session) => <SessionRow key={session.id} session={session} onEnded={() => sessions.mutate()} />}
      </List>
    </Section>
  );
}

function SessionRow({ session, onEnded }: { session: LoginSession; onEnded: () => Promise<unknown> }) {
  const { account } = useServices();
  const [asking, setAsking] = useState(false);
  const device = deviceWords(session.userAgent);
  const Icon = /Android|iPhone|iPad/.test(device) ? Smartphone : Laptop;
  return (
    <Row
      data-testid="login-session"
      lead={<Icon aria-hidden className="size-5 shrink-0 text-faint" strokeWidth={1.5} />}
      title={
        <>
          {device}
          {session.current ? <Badge tone="ok">This device</Badge> : null}
        </>
      }
      note={
        <Facts
          items={[
            session.address || "unknown address",
            <>last used <Ago key="used" ts={session.lastUsed} /></>,
            <>signed in <Ago key="created" ts={session.created} /></>,
          ]}
        />
      }
    >
      {session.current ? null : (
        <>
          <Button onClick={() => { setAsking(true); }} aria-label={`End the session of ${device}`}>
            End
          </Button>
          <Confirm
            open={asking}
            onOpenChange={setAsking}
            title={`End the session of ${device}?`}
            action="End the session"
            onConfirm={async () => {
              await account.endSession(session.id);
              await onEnded();
            }}
          >
            <p>That device is signed out at once, and what it shows live stops.</p>
          </Confirm>
        </>
      )}
    </Row>
  );
}

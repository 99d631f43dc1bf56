"use client";

import { useState } from "react";
import useSWR from "swr";
import type { TokenOwner } from "@/application/people-ports";
import { scopeName, tokenState, type AccessToken } from "@/domain/access-token";
import type { OwnOrganization } from "@/domain/site";
import { OPTIONS, useSites } from "@/presentation/hooks/use-data";
import { useNow } from "@/presentation/hooks/use-now";
import { useServices } from "@/presentation/services";
import { Badge } from "@/presentation/ui/badge";
import { Button } from "@/presentation/ui/button";
import { Confirm } from "@/presentation/ui/confirm";
import { Facts } from "@/presentation/ui/facts";
import { List } from "@/presentation/ui/list";
import { Row } from "@/presentation/ui/row";
import { Section } from "@/presentation/ui/section";
import { Ago, Day } from "@/presentation/ui/when";
import { NewTokenDialog } from "./new-token-dialog";

interface Props {
  readonly owner: TokenOwner;
  /** Whose they are, where they are not the person's own. */
  readonly organization: OwnOrganization | null;
}

/** The access tokens of the person, or of an organization: those act for themselves and outlive whoever made them. */
export function TokensSection({ owner, organization }: Props) {
  const { tokens } = useServices();
  const [making, setMaking] = useState(false);
  const list = useSWR<AccessToken[], unknown>(["access-tokens", JSON.stringify(owner)], () => tokens.tokens(owner), OPTIONS);
  return (
    <Section
      id="tokens"
      title="Access tokens"
      lead={
        organization
          ? "For programs that work for the organization and for no single person. They never reach people, keys or settings of accounts."
          : "For your own programs. A token does at most what you may do, and never reaches people or credentials."
      }
      action={<Button onClick={() => { setMaking(true); }}>New token…</Button>}
    >
      <List
        data={list}
        label="Access tokens"
        empty={organization ? "No program of this organization has a token yet. Make one for each, so that each can be revoked alone." : "You have no tokens. Make one for each program, so that each can be revoked alone."}
      >
        {(token) => <TokenRow key={token.id} token={token} onRevoked={() => list.mutate()} />}
      </List>
      <NewTokenDialog open={making} onOpenChange={setMaking} organization={organization} onMade={() => list.mutate()} />
    </Section>
  );
}

function TokenRow({ token, onRevoked }: { token: AccessToken; onRevoked: () => Promise<unknown> }) {
  const { tokens } = useServices();
  const { data: sites } = useSites();
  const now = useNow();
  const [asking, setAsking] = useState(false);
  const state = tokenState(token, now);
  const named = token.sites?.map((id) => sites?.find((site) => site.id === id)?.name ?? `site ${id}`);
  return (
    <Row
      data-testid="access-token"
      className={state === "active" ? "" : "text-faint"}
      title={
        <>
          <span className="min-w-0 truncate">{token.name}</span>
          {token.scopes.map((scope) => <Badge key={scope}>{scopeName(scope)}</Badge>)}
          {state === "revoked" ? <Badge tone="alarm">Revoked</Badge> : null}
          {state === "expired" ? <Badge tone="warn">Expired</Badge> : null}
        </>
      }
      note={
        <Facts
          items={[
            <code key="prefix" className="text-2xs">{token.prefix}…</code>,
            named ? named.join(", ") : "all sites",
            <>{state === "expired" ? "expired" : "expires"} <Day key="end" ts={token.expires} /></>,
            token.lastUsed === null ? "never used" : <>last used <Ago key="used" ts={token.lastUsed} /></>,
          ]}
        />
      }
    >
      {state === "active" ? (
        <>
          <Button onClick={() => { setAsking(true); }} aria-label={`Revoke ${token.name}`}>
            Revoke
          </Button>
          <Confirm
            open={asking}
            onOpenChange={setAsking}
            title={`Revoke ${token.name}?`}
            action="Revoke the token"
            onConfirm={async () => {
              await tokens.revoke(token.id);
              await onRevoked();
            }}
          >
            <p>What uses it is refused at once, also on connections that are open. This cannot be taken back.</p>
          </Confirm>
        </>
      ) : null}
    </Row>
  );
}

"use client";

import { useState } from "react";
import type { TwoFactorStart } from "@/application/people-ports";
import { wordsAbove } from "@/domain/form";
import type { User } from "@/domain/site";
import { useForm, useSending } from "@/presentation/hooks/use-form";
import { useServices } from "@/presentation/services";
import { Badge } from "@/presentation/ui/badge";
import { Button } from "@/presentation/ui/button";
import { Dialog, FormEnd } from "@/presentation/ui/dialog";
import { Field } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";
import { Section } from "@/presentation/ui/section";
import { TwoFactorSetup } from "./two-factor-setup";

export function TwoFactorSection({ user }: { user: User }) {
  const { account, session } = useServices();
  const { busy, problem, send } = useSending();
  const [started, setStarted] = useState<TwoFactorStart | null>(null);
  const [stopping, setStopping] = useState(false);
  const refresh = async () => {
    session.learn(await account.me());
  };
  const start = () => send(async () => {
    setStarted(await account.startTwoFactor());
  });
  return (
    <Section title="Two-factor sign-in" lead="A code from your phone beside the password: who learns one of them still cannot get in.">
      <div className="space-y-4 p-4">
        {problem ? <FormAlert text={wordsAbove(problem, [])} /> : null}
        <div className="flex flex-wrap items-center gap-3">
          <p className="flex min-w-0 flex-1 basis-60 items-center gap-2 text-[13px]">
            {user.twoFactor ? <Badge tone="ok">On</Badge> : <Badge>Off</Badge>}
            {user.twoFactor ? "Signing in asks for a code." : "The password alone signs you in."}
          </p>
          {user.twoFactor ? (
            <Button onClick={() => { setStopping(true); }}>Turn off…</Button>
          ) : (
            <Button look="primary" disabled={busy} onClick={() => void start()}>
              Turn on…
            </Button>
          )}
        </div>
      </div>
      <TwoFactorSetup
        started={started}
        onConfirmed={refresh}
        onClose={() => {
          setStarted(null);
        }}
      />
      <Dialog open={stopping} onOpenChange={setStopping} title="Turn off two-factor sign-in" lead="From then on your password alone signs you in, and the recovery codes are void.">
        <StopForm
          onDone={async () => {
            await refresh();
            setStopping(false);
          }}
        />
      </Dialog>
    </Section>
  );
}

function StopForm({ onDone }: { onDone: () => Promise<void> }) {
  const { account } = useServices();
  const form = useForm(["password"], async (values) => {
    await account.stopTwoFactor(values.text("password"));
    await onDone();
  });
  return (
    <form onSubmit={form.onSubmit} className="space-y-4">
      {form.words ? <FormAlert text={form.words} /> : null}
      <Field label="Your password" name="password" type="password" autoComplete="current-password" required autoFocus problem={form.wrong("password")} />
      <FormEnd>
        <Button type="submit" look="danger" disabled={form.busy}>
          Turn off
        </Button>
      </FormEnd>
    </form>
  );
}

"use client";

import { useState } from "react";
import type { TwoFactorStart } from "@/application/people-ports";
import { useForm } from "@/presentation/hooks/use-form";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Dialog, FormEnd } from "@/presentation/ui/dialog";
import { Field } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";
import { OnlyOnce, Secret } from "@/presentation/ui/secret";

/** Photograph the code, type what the app shows, keep the recovery codes. */
export function TwoFactorSetup({ started, onConfirmed, onClose }: {
  started: TwoFactorStart | null; onConfirmed: () => Promise<void>; onClose: () => void;
}) {
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const close = () => {
    setCodes(null);
    onClose();
  };
  return (
    <Dialog
      open={started !== null}
      onOpenChange={(open) => {
        if (!open) close();
      }}
      title={codes ? "Two-factor sign-in is on" : "Turn on two-factor sign-in"}
    >
      {codes ? (
        <RecoveryCodes codes={codes} onClose={close} />
      ) : started ? (
        <Scan
          started={started}
          onCodes={async (made) => {
            setCodes(made);
            await onConfirmed();
          }}
        />
      ) : null}
    </Dialog>
  );
}

function Scan({ started, onCodes }: { started: TwoFactorStart; onCodes: (codes: readonly string[]) => Promise<void> }) {
  const { account } = useServices();
  const form = useForm(["code", "password"], async (values) => {
    await onCodes(await account.confirmTwoFactor(values.text("code").replaceAll(/\s/g, ""), values.text("password")));
  });
  return (
    <form onSubmit={form.onSubmit} className="space-y-4">
      {form.words ? <FormAlert text={form.words} /> : null}
      <p className="text-[13px] text-quiet">Photograph this with an authenticator app, then type the six digits that it shows.</p>
      <div className="flex flex-col items-center gap-4 sm:flex-row sm:items-start">
        {/* An image runs no script, whatever is in it; on white in both themes, because cameras need it so. */}
        {/* eslint-disable-next-line @next/next/no-img-element -- it is drawn by the server, inline, and never fetched */}
        <img alt="The code for the authenticator app" src={`data:image/svg+xml;utf8,${encodeURIComponent(started.qr)}`} className="size-44 shrink-0 rounded-lg bg-white p-2" />
        <div className="w-full min-w-0 space-y-4">
          <Secret label="Or type this" value={started.secret.replaceAll(/(.{4})(?=.)/g, "$1 ")} testId="two-factor-secret" />
          <Field label="Code" name="code" inputMode="numeric" autoComplete="one-time-code" required autoFocus problem={form.wrong("code")} />
        </div>
      </div>
      <Field label="Your password" name="password" type="password" autoComplete="current-password" required hint="So that nobody turns it on at a screen that you left." problem={form.wrong("password")} />
      <FormEnd>
        <Button type="submit" look="primary" disabled={form.busy}>
          {form.busy ? "Checking…" : "Turn on"}
        </Button>
      </FormEnd>
    </form>
  );
}

function RecoveryCodes({ codes, onClose }: { codes: readonly string[]; onClose: () => void }) {
  return (
    <div className="space-y-4">
      <OnlyOnce what="Each of these codes signs you in once, when your phone is not at hand." />
      <Secret label="Recovery codes" value={codes.join("\n")} file="ems-recovery-codes.txt" testId="recovery-codes" />
      <FormEnd>
        <Button look="primary" onClick={onClose}>
          I have kept them
        </Button>
      </FormEnd>
    </div>
  );
}

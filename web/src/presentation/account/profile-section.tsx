"use client";

import { useState } from "react";
import type { User } from "@/domain/site";
import { useForm } from "@/presentation/hooks/use-form";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Field } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";
import { Saved } from "@/presentation/ui/saved";
import { Section } from "@/presentation/ui/section";

export function ProfileSection({ user }: { user: User }) {
  const { account, session } = useServices();
  const [saved, setSaved] = useState(0);
  const form = useForm(["name"], async (values) => {
    session.learn(await account.rename(values.trimmed("name")));
    setSaved((times) => times + 1);
  });
  return (
    <Section title="Profile" lead="How others see you.">
      <form onSubmit={form.onSubmit} className="space-y-4 p-4">
        {form.words ? <FormAlert text={form.words} /> : null}
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Name" name="name" autoComplete="name" required maxLength={200} defaultValue={user.name} problem={form.wrong("name")} />
          <Field label="E-mail" type="email" value={user.email} readOnly disabled hint="The address that you sign in with. An administrator of the platform can change it." />
        </div>
        <div className="flex items-center gap-3">
          <Button type="submit" look="primary" disabled={form.busy}>
            {form.busy ? "Saving…" : "Save the name"}
          </Button>
          <Saved times={saved} />
        </div>
      </form>
    </Section>
  );
}

"use client";

import { useRef, useState } from "react";
import { useSWRConfig } from "swr";
import { useForm } from "@/presentation/hooks/use-form";
import { useServices } from "@/presentation/services";
import { Button } from "@/presentation/ui/button";
import { Field } from "@/presentation/ui/field";
import { FormAlert } from "@/presentation/ui/form-alert";
import { NewPasswordField } from "@/presentation/ui/new-password-field";
import { Saved } from "@/presentation/ui/saved";
import { Section } from "@/presentation/ui/section";
import { SESSIONS } from "./sessions-section";

export function PasswordSection() {
  const { session } = useServices();
  const { mutate } = useSWRConfig();
  const ref = useRef<HTMLFormElement>(null);
  const [saved, setSaved] = useState(0);
  const form = useForm(["current", "new"], async (values) => {
    await session.changePassword(values.text("current"), values.text("password"));
    ref.current?.reset();
    setSaved((times) => times + 1);
    await mutate((key) => key === SESSIONS || (Array.isArray(key) && key[0] === "access-tokens"));
  });
  return (
    <Section title="Password" lead="Changing it signs you out everywhere else and voids your access tokens.">
      <form ref={ref} onSubmit={form.onSubmit} className="space-y-4 p-4">
        {form.words ? <FormAlert text={form.words} /> : null}
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label="Current password" name="current" type="password" autoComplete="current-password" required problem={form.wrong("current")} />
          <NewPasswordField label="New password" problem={form.wrong("new")} />
        </div>
        <div className="flex items-center gap-3">
          <Button type="submit" look="primary" disabled={form.busy}>
            {form.busy ? "Changing…" : "Change the password"}
          </Button>
          <Saved times={saved} words="Changed. Other devices are signed out." />
        </div>
      </form>
    </Section>
  );
}

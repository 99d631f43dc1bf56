import type { ComponentProps } from "react";
import { Field } from "@/presentation/ui/field";

/** The second factor: six digits of the app, or one of the recovery codes. */
export function CodeField(props: Omit<ComponentProps<typeof Field>, "label" | "name">) {
  return (
    <Field
      label="Code"
      name="code"
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      required
      hint="The six digits of your authenticator app, or one of your recovery codes."
      {...props}
    />
  );
}

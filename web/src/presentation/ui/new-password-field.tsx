import type { ComponentProps } from "react";
import { Field } from "./field";

/** The backend decides what is good enough; the length is said here so that nobody has to try. */
export function NewPasswordField({ label = "Password", ...rest }: Partial<ComponentProps<typeof Field>>) {
  return <Field label={label} name="password" type="password" autoComplete="new-password" required minLength={12} hint="At least 12 characters." {...rest} />;
}

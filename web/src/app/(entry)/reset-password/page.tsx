import type { Metadata } from "next";
import { ResetPasswordPage } from "@/presentation/entry/reset-password-page";

export const metadata: Metadata = { title: "Set a new password" };

export default function Page() {
  return <ResetPasswordPage />;
}

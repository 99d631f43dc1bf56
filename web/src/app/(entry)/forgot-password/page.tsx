import type { Metadata } from "next";
import { ForgotPasswordPage } from "@/presentation/entry/forgot-password-page";

export const metadata: Metadata = { title: "Forgot your password?" };

export default function Page() {
  return <ForgotPasswordPage />;
}

import type { Metadata, Viewport } from "next";
import { cookies, headers } from "next/headers";
import type { ReactNode } from "react";
import { Composition } from "@/composition";
import { clientConfig } from "@/composition.server";
import { themeOf } from "@/presentation/theme-of";
import { TipProvider } from "@/presentation/ui/tip";
import "./globals.css";

export const metadata: Metadata = {
  title: { default: "SimTestLab EMS", template: "%s · SimTestLab EMS" },
  description: "Energy management for organizations with many sites.",
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  viewportFit: "cover",
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f7f7f8" },
    { media: "(prefers-color-scheme: dark)", color: "#0d0e11" },
  ],
};

/** Rendered for each request: the nonce, the theme and the addresses of the services are those of this one. */
export default async function RootLayout({ children }: { children: ReactNode }) {
  const [requestHeaders, jar] = await Promise.all([headers(), cookies()]);
  return (
    <html lang="en" data-theme={themeOf(jar)}>
      <body>
        <Composition config={clientConfig(requestHeaders.get("host"))}>
          <TipProvider>{children}</TipProvider>
        </Composition>
      </body>
    </html>
  );
}

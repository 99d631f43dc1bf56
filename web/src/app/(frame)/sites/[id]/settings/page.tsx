import type { Metadata } from "next";
import { Suspense } from "react";
import { SettingsPage } from "@/presentation/settings/settings-page";
import { SettingsSkeleton } from "@/presentation/settings/settings-skeleton";

export const metadata: Metadata = { title: "Settings" };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return (
    <Suspense fallback={<SettingsSkeleton />}>
      <SettingsPage id={id} />
    </Suspense>
  );
}

import type { Metadata } from "next";
import { Suspense } from "react";
import { SettingsPage } from "@/presentation/settings/settings-page";
import { SectionsSkeleton } from "@/presentation/ui/sections-skeleton";

export const metadata: Metadata = { title: "Settings" };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return (
    <Suspense fallback={<SectionsSkeleton label="Loading the settings" />}>
      <SettingsPage id={id} />
    </Suspense>
  );
}

import type { Metadata } from "next";
import { Suspense } from "react";
import { HistoryPage } from "@/presentation/history/history-page";
import { HistorySkeleton } from "@/presentation/history/history-skeleton";

export const metadata: Metadata = { title: "History" };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  return (
    <Suspense fallback={<HistorySkeleton />}>
      <HistoryPage id={id} />
    </Suspense>
  );
}

import type { Metadata } from "next";
import { PeoplePage } from "@/presentation/people/people-page";

export const metadata: Metadata = { title: "People" };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  return <PeoplePage id={(await params).id} />;
}

import type { Metadata } from "next";
import { SitePage } from "@/presentation/site/site-page";

export const metadata: Metadata = { title: "Live" };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  return <SitePage id={(await params).id} />;
}

import type { Metadata } from "next";
import { AuditPage } from "@/presentation/audit/audit-page";

export const metadata: Metadata = { title: "Audit log" };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  return <AuditPage id={(await params).id} />;
}

import type { Metadata } from "next";
import { ControlPage } from "@/presentation/control/control-page";

export const metadata: Metadata = { title: "Control" };

export default async function Page({ params }: { params: Promise<{ id: string }> }) {
  return <ControlPage id={(await params).id} />;
}

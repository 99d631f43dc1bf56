import type { ReactNode } from "react";
import { AppFrame } from "@/presentation/frame/app-frame";

export default function FrameLayout({ children }: { children: ReactNode }) {
  return <AppFrame>{children}</AppFrame>;
}

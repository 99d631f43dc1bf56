"use client";

import Link from "next/link";
import { Brand } from "@/presentation/ui/brand";
import { Breadcrumb } from "./breadcrumb";
import { ConnectionPill } from "./connection-pill";
import { ProfileMenu } from "./profile-menu";
import { ThemeMenu } from "./theme-menu";

export function TopBar() {
  return (
    <header className="sticky top-0 z-30 flex h-14 items-center gap-2 border-b bg-canvas/90 px-4 backdrop-blur sm:px-6">
      <Link href="/" aria-label="SimTestLab EMS, overview" className="md:hidden">
        <Brand className="[&>span]:hidden min-[420px]:[&>span]:inline" />
      </Link>
      <div className="hidden min-w-0 flex-1 md:block">
        <Breadcrumb />
      </div>
      <div className="ml-auto flex items-center gap-1">
        <ConnectionPill />
        <ThemeMenu />
        <ProfileMenu />
      </div>
    </header>
  );
}

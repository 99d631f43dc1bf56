"use client";

import { SlidersHorizontal } from "lucide-react";
import { useState } from "react";
import { may, type Point, type Site } from "@/domain/site";
import { Button, IconButton } from "@/presentation/ui/button";
import { SetpointDialog } from "./setpoint-dialog";

/** Sets a writable point, for those who may control the site; for everyone else it is not there. */
export function SetpointButton({ site, point, small = false }: { site: Site; point: Point; small?: boolean }) {
  const [open, setOpen] = useState(false);
  if (!point.writable || !may(site, "control_devices")) return null;
  const name = `Set ${point.name}`;
  const show = () => {
    setOpen(true);
  };
  return (
    <>
      {small ? (
        <IconButton label={name} onClick={show} data-set={point.key} className="-my-1 -mr-2 size-7">
          <SlidersHorizontal aria-hidden className="size-3.5" strokeWidth={1.75} />
        </IconButton>
      ) : (
        <Button onClick={show} aria-label={name} data-set={point.key}>Set…</Button>
      )}
      {open ? <SetpointDialog site={site} point={point} open onOpenChange={setOpen} /> : null}
    </>
  );
}

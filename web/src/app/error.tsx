"use client";

import { CircleAlert } from "lucide-react";
import { Button } from "@/presentation/ui/button";
import { Notice } from "@/presentation/ui/notice";

/** A fault of the page itself. Everything that a server may answer is shown where it belongs, not here. */
export default function PageError({ reset }: { error: Error; reset: () => void }) {
  return (
    <Notice icon={CircleAlert} title="This page failed" alarm>
      <p>It is a fault of ours, not of your data. Try again; if it keeps failing, reload the page.</p>
      <Button onClick={reset}>Try again</Button>
    </Notice>
  );
}

"use client";

import { ChartLine, Table2 } from "lucide-react";
import { Segments } from "@/presentation/ui/segments";

export type View = "chart" | "table";

export function ViewSwitch({ view, onChoose }: { view: View; onChoose: (view: View) => void }) {
  return (
    <Segments
      label="Show as"
      value={view}
      onChoose={(value) => {
        onChoose(value === "table" ? "table" : "chart");
      }}
      segments={[
        { value: "chart", name: "Chart", label: <ChartLine aria-hidden className="size-4" strokeWidth={1.75} /> },
        { value: "table", name: "Table", label: <Table2 aria-hidden className="size-4" strokeWidth={1.75} /> },
      ]}
    />
  );
}

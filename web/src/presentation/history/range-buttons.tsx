"use client";

import { RANGES, type Range } from "@/domain/ranges";
import { Segments } from "@/presentation/ui/segments";

export function RangeButtons({ range, onChoose }: { range: Range; onChoose: (key: string) => void }) {
  return (
    <Segments
      label="Time range"
      value={range.key}
      onChoose={onChoose}
      segments={RANGES.map((each) => ({ value: each.key, label: each.label, name: each.words }))}
    />
  );
}

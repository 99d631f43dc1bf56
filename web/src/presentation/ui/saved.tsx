import { Check } from "lucide-react";

/** Says that it was done, once for each time. */
export function Saved({ times, words = "Saved" }: { times: number; words?: string }) {
  return (
    <span role="status" className="text-[13px] text-ok">
      {times > 0 ? (
        <span key={times} className="appear inline-flex items-center gap-1.5">
          <Check aria-hidden className="size-3.5" />
          {words}
        </span>
      ) : null}
    </span>
  );
}

import { figure } from "@/domain/quantity";

/** A power for reading at a fixed width; a dash while it is not known. */
export function Power({ watts, className = "" }: { watts: number | null | undefined; className?: string }) {
  if (watts === null || watts === undefined) return <span className={`text-faint ${className}`}>—</span>;
  const { number, unit } = figure(Math.abs(watts), "W");
  return (
    <span className={`whitespace-nowrap tabular-nums ${className}`}>
      {number}
      <span className="ml-[0.2em] text-[0.8em] font-normal text-quiet">{unit}</span>
    </span>
  );
}

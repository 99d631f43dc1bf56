import { Skeleton } from "./skeleton";

/** Lines of a list that is on its way. */
export function RowsSkeleton({ rows = 3, label }: { rows?: number; label: string }) {
  return (
    <div className="divide-y" aria-busy aria-label={label}>
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className="flex h-[3.75rem] items-center gap-4 px-4">
          <div className="flex-1">
            <Skeleton className="mb-2 h-4 w-40 max-w-full" />
            <Skeleton className="h-3 w-56 max-w-full" />
          </div>
          <Skeleton className="h-7 w-20" />
        </div>
      ))}
    </div>
  );
}

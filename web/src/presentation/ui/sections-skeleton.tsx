import { Card } from "@/presentation/ui/card";
import { RowsSkeleton } from "@/presentation/ui/rows-skeleton";
import { Skeleton } from "@/presentation/ui/skeleton";

export function SectionsSkeleton({ label }: { label: string }) {
  return (
    <div className="mx-auto max-w-5xl space-y-6" aria-busy aria-label={label}>
      <div>
        <Skeleton className="mb-2 h-6 w-52" />
        <Skeleton className="h-4 w-40" />
      </div>
      <Skeleton className="h-8 w-80 max-w-full" />
      <Card>
        <RowsSkeleton rows={4} label={label} />
      </Card>
    </div>
  );
}

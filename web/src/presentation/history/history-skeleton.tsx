import { Card } from "@/presentation/ui/card";
import { Skeleton } from "@/presentation/ui/skeleton";

export function HistorySkeleton() {
  return (
    <div className="space-y-4" aria-busy aria-label="Loading the history">
      <div className="flex min-h-12 items-center gap-4">
        <div>
          <Skeleton className="mb-2 h-6 w-52" />
          <Skeleton className="h-4 w-40" />
        </div>
        <Skeleton className="ml-auto h-8 w-32" />
      </div>
      <Skeleton className="h-8 w-72" />
      <Card className="h-[26rem] p-4">
        <Skeleton className="h-4 w-28" />
      </Card>
    </div>
  );
}

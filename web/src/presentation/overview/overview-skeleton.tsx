import { Card } from "@/presentation/ui/card";
import { Skeleton } from "@/presentation/ui/skeleton";

export function OverviewSkeleton() {
  return (
    <div className="space-y-6" aria-busy aria-label="Loading the overview">
      <div>
        <Skeleton className="mb-2 h-6 w-28" />
        <Skeleton className="h-4 w-44" />
      </div>
      <Card className="grid grid-cols-2 gap-px overflow-hidden bg-line lg:grid-cols-4">
        {["a", "b", "c", "d"].map((key) => (
          <div key={key} className="bg-surface p-4">
            <Skeleton className="mb-3 h-4 w-20" />
            <Skeleton className="h-7 w-28" />
          </div>
        ))}
      </Card>
      <div>
        <Skeleton className="mb-3 h-4 w-36" />
        <Card className="divide-y">
          {["a", "b", "c", "d"].map((key) => (
            <div key={key} className="flex h-16 items-center gap-6 px-4">
              <Skeleton className="h-4 w-48" />
              <Skeleton className="ml-auto h-4 w-1/2" />
            </div>
          ))}
        </Card>
      </div>
    </div>
  );
}

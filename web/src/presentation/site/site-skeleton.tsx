import { Card } from "@/presentation/ui/card";
import { Skeleton } from "@/presentation/ui/skeleton";

export function SiteSkeleton() {
  return (
    <div className="space-y-4" aria-busy aria-label="Loading the site">
      <div className="flex min-h-12 items-center gap-4">
        <div>
          <Skeleton className="mb-2 h-6 w-52" />
          <Skeleton className="h-4 w-40" />
        </div>
        <Skeleton className="ml-auto h-8 w-32" />
      </div>
      <div className="grid gap-4 xl:grid-cols-2">
        <Card className="h-[26rem] p-4">
          <Skeleton className="h-4 w-28" />
        </Card>
        <Card className="h-[26rem] p-4">
          <Skeleton className="h-4 w-28" />
        </Card>
      </div>
      <div className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
        {["a", "b", "c"].map((key) => (
          <Card key={key} className="h-72 p-4">
            <Skeleton className="mb-6 h-4 w-28" />
            <Skeleton className="h-8 w-36" />
          </Card>
        ))}
      </div>
    </div>
  );
}

import { OverviewSkeleton } from "@/presentation/overview/overview-skeleton";

export default function Loading() {
  return <OverviewSkeleton />;
}

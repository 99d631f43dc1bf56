import { HistorySkeleton } from "@/presentation/history/history-skeleton";

export default function Loading() {
  return <HistorySkeleton />;
}

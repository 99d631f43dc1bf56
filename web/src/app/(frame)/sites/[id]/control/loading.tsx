import { SectionsSkeleton } from "@/presentation/ui/sections-skeleton";

export default function Loading() {
  return <SectionsSkeleton label="Loading the controls" />;
}

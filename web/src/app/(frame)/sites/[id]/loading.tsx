import { SiteSkeleton } from "@/presentation/site/site-skeleton";

export default function Loading() {
  return <SiteSkeleton />;
}

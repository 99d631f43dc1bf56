import { SettingsSkeleton } from "@/presentation/settings/settings-skeleton";

export default function Loading() {
  return <SettingsSkeleton />;
}

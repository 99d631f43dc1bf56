import { NotFoundView } from "@/presentation/ui/not-found-view";

export default function NotFound() {
  return (
    <main className="flex min-h-dvh items-center justify-center">
      <NotFoundView />
    </main>
  );
}

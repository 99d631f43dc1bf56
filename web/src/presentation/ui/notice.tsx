import type { LucideIcon } from "lucide-react";
import { CircleAlert, Inbox } from "lucide-react";
import Link from "next/link";
import type { ReactNode } from "react";
import { explain, Problem, TWO_FACTOR_NEEDED } from "@/domain/problem";
import { Button } from "./button";
import { cx } from "./cx";

/** Something in place of content: what is the case, and the next step. */
export function Notice({ icon: Icon = Inbox, title, children, alarm = false }: {
  icon?: LucideIcon; title: string; children?: ReactNode; alarm?: boolean;
}) {
  return (
    <div role={alarm ? "alert" : undefined} className="mx-auto flex max-w-md flex-col items-center px-6 py-14 text-center">
      <span className={cx("mb-4 flex size-10 items-center justify-center rounded-lg", alarm ? "bg-alarm-soft text-alarm" : "bg-sunken text-quiet")}>
        <Icon aria-hidden className="size-5" strokeWidth={1.75} />
      </span>
      <h2 className="text-base font-semibold">{title}</h2>
      <div className="mt-1.5 space-y-4 text-quiet">{children}</div>
    </div>
  );
}

/** What went wrong, what to do, and a way to try again. */
export function ProblemNotice({ problem, retry }: { problem: unknown; retry?: () => void }) {
  const { what, remedy, requestId } = explain(problem);
  return (
    <Notice icon={CircleAlert} title={what} alarm>
      <p>{remedy}</p>
      {problem instanceof Problem && problem.code === TWO_FACTOR_NEEDED ? (
        <Link href="/account" className="hairline inline-flex h-8 items-center rounded-lg bg-surface px-3 text-[13px] font-medium text-ink hover:bg-hover">
          Go to your account
        </Link>
      ) : null}
      {retry ? <Button onClick={retry}>Try again</Button> : null}
      {requestId ? <p className="text-2xs text-faint">Request {requestId}</p> : null}
    </Notice>
  );
}

import { Compass } from "lucide-react";
import Link from "next/link";
import { Notice } from "./notice";

/** The same words for what does not exist and for what is not yours: the difference is not the reader's to know. */
export function NotFoundView() {
  return (
    <div data-testid="not-found">
      <Notice icon={Compass} title="There is nothing here">
        <p>This page does not exist, or you have no access to it. If you expected a site here, ask its administrator for access.</p>
        <Link href="/" className="hairline inline-flex h-8 items-center rounded-lg bg-surface px-3 text-[13px] font-medium text-ink hover:bg-hover">
          Go to the overview
        </Link>
      </Notice>
    </div>
  );
}

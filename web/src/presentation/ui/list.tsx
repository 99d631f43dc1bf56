import type { ReactNode } from "react";
import { wordsAbove } from "@/domain/form";
import { Problem } from "@/domain/problem";
import { Button } from "./button";
import { FormAlert } from "./form-alert";
import { RowsSkeleton } from "./rows-skeleton";
import { EmptyRow, Rows } from "./section";

/** What SWR says of a list. */
interface Answer<T> {
  readonly data: readonly T[] | undefined;
  readonly error: unknown;
  readonly mutate: () => Promise<unknown>;
}

/** A list from the API inside a card: its lines, or what is the case instead. `empty` says the next step. */
export function List<T>({ data: { data, error, mutate }, label, empty, skeletons = 3, children }: {
  data: Answer<T>; label: string; empty: ReactNode; skeletons?: number; children: (row: T) => ReactNode;
}) {
  if (!data) {
    if (error === undefined) return <RowsSkeleton rows={skeletons} label={`Loading: ${label}`} />;
    return (
      <div className="space-y-3 p-4">
        <FormAlert text={error instanceof Problem ? wordsAbove(error, []) : "This list could not be shown."} />
        <Button onClick={() => void mutate()}>Try again</Button>
      </div>
    );
  }
  if (data.length === 0) return <EmptyRow>{empty}</EmptyRow>;
  return <Rows label={label}>{data.map(children)}</Rows>;
}

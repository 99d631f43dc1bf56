import { useId, type ComponentProps } from "react";
import { cx } from "./cx";

interface Props extends ComponentProps<"input"> {
  readonly label: string;
  readonly hint?: string;
  readonly problem?: string | undefined;
}

/** A labelled input; what is wrong with it is said under it and read out with it. */
export function Field({ label, hint, problem, className, ...rest }: Props) {
  const id = useId();
  const note = problem ?? hint;
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block text-[13px] font-medium">
        {label}
      </label>
      <input
        id={id}
        aria-invalid={problem !== undefined}
        aria-describedby={note === undefined ? undefined : `${id}-note`}
        className={cx(
          "hairline block h-10 w-full rounded-lg bg-surface px-3 text-base outline-offset-0 placeholder:text-faint sm:text-sm",
          problem === undefined ? "border-line-strong" : "border-alarm",
        )}
        {...rest}
      />
      {note === undefined ? null : (
        <p id={`${id}-note`} className={cx("mt-1.5 text-xs", problem === undefined ? "text-faint" : "text-alarm")}>
          {note}
        </p>
      )}
    </div>
  );
}

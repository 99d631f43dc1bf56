import { ChevronDown } from "lucide-react";
import { useId, type ComponentProps, type ReactNode } from "react";
import { cx } from "./cx";

interface Labels {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly problem?: string | undefined;
}

/** `min-h` instead of a smaller text on phones: below 16 px a phone zooms in on a field that takes the focus. */
const BOX = "hairline block w-full rounded-lg bg-surface text-base outline-offset-0 placeholder:text-faint disabled:bg-sunken disabled:text-faint sm:text-sm";

function edge(problem: string | undefined): string {
  return problem === undefined ? "border-line-strong" : "border-alarm";
}

/** The label above a control, and under it what is wrong with it or what it is for; both are read out with it. */
function Labelled({ id, label, hint, problem, className, children }: Labels & { id: string; className?: string | undefined; children: ReactNode }) {
  const note = problem ?? hint;
  return (
    <div className={cx("min-w-0", className)}>
      <label htmlFor={id} className="mb-1.5 block text-[13px] font-medium">
        {label}
      </label>
      {children}
      {note === undefined ? null : (
        <p id={`${id}-note`} className={cx("mt-1.5 text-xs", problem === undefined ? "text-faint" : "text-alarm")}>
          {note}
        </p>
      )}
    </div>
  );
}

function described(id: string, { hint, problem }: Labels) {
  return {
    id,
    "aria-invalid": problem !== undefined,
    "aria-describedby": problem === undefined && hint === undefined ? undefined : `${id}-note`,
  } as const;
}

export function Field({ label, hint, problem, className, ...rest }: Labels & ComponentProps<"input">) {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hint} problem={problem} className={className}>
      <input {...described(id, { label, hint, problem })} className={cx(BOX, "h-10 px-3", edge(problem))} {...rest} />
    </Labelled>
  );
}

export function AreaField({ label, hint, problem, className, ...rest }: Labels & ComponentProps<"textarea">) {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hint} problem={problem} className={className}>
      <textarea {...described(id, { label, hint, problem })} className={cx(BOX, "px-3 py-2 font-mono", edge(problem))} {...rest} />
    </Labelled>
  );
}

export interface Option {
  readonly value: string;
  readonly label: string;
}

/** The platform's own list: it works with every keyboard and on every phone. */
export function SelectField({ label, hint, problem, className, options, ...rest }: Labels & ComponentProps<"select"> & { options: readonly Option[] }) {
  const id = useId();
  return (
    <Labelled id={id} label={label} hint={hint} problem={problem} className={className}>
      <Chooser {...described(id, { label, hint, problem })} options={options} className={cx("h-10", edge(problem))} {...rest} />
    </Labelled>
  );
}

/** The same without a label of its own, for a line of a list; give it an `aria-label`. */
export function Select({ options, className, ...rest }: ComponentProps<"select"> & { options: readonly Option[] }) {
  return <Chooser options={options} className={cx("h-8 border-line text-[13px]!", className)} {...rest} />;
}

function Chooser({ options, className, ...rest }: ComponentProps<"select"> & { options: readonly Option[] }) {
  return (
    <span className="relative block">
      <select className={cx(BOX, "cursor-pointer appearance-none truncate pl-3 pr-8", className)} {...rest}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <ChevronDown aria-hidden className="pointer-events-none absolute right-2.5 top-1/2 size-3.5 -translate-y-1/2 text-faint" />
    </span>
  );
}

/** A yes or no with its sentence beside it. */
export function Check({ label, hint, className, ...rest }: { label: ReactNode; hint?: ReactNode } & ComponentProps<"input">) {
  return (
    <label className={cx("flex cursor-pointer items-start gap-2.5 text-[13px] has-[:disabled]:cursor-default has-[:disabled]:text-faint", className)}>
      <input type="checkbox" className="mt-0.5 size-4 shrink-0 accent-(--accent)" {...rest} />
      <span className="min-w-0">
        <span className="block">{label}</span>
        {hint === undefined ? null : <span className="mt-0.5 block text-xs text-faint">{hint}</span>}
      </span>
    </label>
  );
}

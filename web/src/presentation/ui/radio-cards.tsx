interface Option {
  readonly value: string;
  readonly label: string;
  readonly note: string;
}

/** One of a few, each with what it means. */
export function RadioCards({ label, name, options, defaultValue, problem }: {
  label: string; name: string; options: readonly Option[]; defaultValue: string; problem?: string | undefined;
}) {
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1.5 text-[13px] font-medium">{label}</legend>
      <div className="hairline divide-y overflow-hidden rounded-lg">
        {options.map((option) => (
          <label key={option.value} className="flex cursor-pointer items-start gap-3 px-3 py-2.5 has-[:checked]:bg-accent-soft">
            <input type="radio" name={name} value={option.value} defaultChecked={option.value === defaultValue} className="mt-0.5 size-4 shrink-0 accent-(--accent)" />
            <span className="min-w-0">
              <span className="block text-[13px] font-medium">{option.label}</span>
              <span className="block text-xs text-quiet">{option.note}</span>
            </span>
          </label>
        ))}
      </div>
      {problem === undefined ? null : <p className="mt-1.5 text-xs text-alarm">{problem}</p>}
    </fieldset>
  );
}

import { CircleAlert, Info, type LucideIcon } from "lucide-react";

/** What is wrong with a form as a whole; `calm` for a word that is no fault. */
export function FormAlert({ text, calm = false, icon }: { text: string; calm?: boolean; icon?: LucideIcon }) {
  const Icon = icon ?? (calm ? Info : CircleAlert);
  return (
    <p role="alert" className={`flex gap-2.5 rounded-lg px-3 py-2.5 text-[13px] ${calm ? "bg-accent-soft text-ink" : "bg-alarm-soft text-alarm"}`}>
      <Icon aria-hidden className="mt-0.5 size-4 shrink-0" strokeWidth={1.75} />
      {text}
    </p>
  );
}

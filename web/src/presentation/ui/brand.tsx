/** The mark and the name. */
export function Brand({ className = "" }: { className?: string }) {
  return (
    <span className={`inline-flex items-center gap-2.5 ${className}`}>
      <svg aria-hidden viewBox="0 0 32 32" className="size-6 shrink-0">
        <rect width="32" height="32" rx="8" fill="var(--ink)" />
        <path d="M6 18h5l3-9 4 15 3-9h5" fill="none" stroke="var(--canvas)" strokeWidth="2.5" strokeLinecap="round" strokeLinejoin="round" />
      </svg>
      <span className="text-sm font-semibold tracking-tight">
        SimTestLab <span className="font-normal text-quiet">EMS</span>
      </span>
    </span>
  );
}

"use client";

import { Check, Copy, Download, KeyRound } from "lucide-react";
import { useEffect, useState } from "react";
import { saveFile } from "@/presentation/save-file";
import { Button } from "./button";
import { FormAlert } from "./form-alert";

/** A secret at the only time that it is shown, with ways to keep it. `file`: its name, where it is worth a file. */
export function Secret({ label, value, file, testId = "secret" }: { label: string; value: string; file?: string; testId?: string }) {
  return (
    <div>
      <div className="mb-1.5 flex items-end justify-between gap-2">
        <p className="text-[13px] font-medium">{label}</p>
        <div className="flex gap-2">
          <CopyButton value={value} name={label} />
          {file === undefined ? null : <SaveButton value={value} file={file} />}
        </div>
      </div>
      <pre data-testid={testId} tabIndex={0} aria-label={label} className="hairline max-h-60 select-all overflow-auto whitespace-pre-wrap break-all rounded-lg bg-sunken px-3 py-2.5 font-mono text-[13px] leading-5">
        {value}
      </pre>
    </div>
  );
}

/** The words over every secret that nobody can look up later. */
export function OnlyOnce({ what }: { what: string }) {
  return <FormAlert calm icon={KeyRound} text={`${what} It is shown only now: copy it to where it is needed before you close this.`} />;
}

export function CopyButton({ value, name }: { value: string; name: string }) {
  const [done, setDone] = useState<"copied" | "refused" | null>(null);
  useEffect(() => {
    if (done === null) return;
    const timer = setTimeout(() => {
      setDone(null);
    }, 2_000);
    return () => {
      clearTimeout(timer);
    };
  }, [done]);
  const copy = () => {
    // There is no clipboard on plain http outside of localhost; the text can still be selected.
    const clipboard = (navigator as { readonly clipboard?: Clipboard }).clipboard;
    if (!clipboard) {
      setDone("refused");
      return;
    }
    clipboard.writeText(value).then(
      () => {
        setDone("copied");
      },
      () => {
        setDone("refused");
      },
    );
  };
  return (
    <Button onClick={copy} aria-label={`Copy: ${name}`}>
      {done === "copied" ? <Check aria-hidden className="size-3.5 text-ok" /> : <Copy aria-hidden className="size-3.5" />}
      <span role="status">{done === "copied" ? "Copied" : done === "refused" ? "Select it by hand" : "Copy"}</span>
    </Button>
  );
}

function SaveButton({ value, file }: { value: string; file: string }) {
  return (
    <Button
      onClick={() => {
        saveFile(new Blob([value], { type: "text/plain" }), file);
      }}
    >
      <Download aria-hidden className="size-3.5" />
      Download
    </Button>
  );
}

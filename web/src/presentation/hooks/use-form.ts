import { useCallback, useState, type SubmitEvent } from "react";
import { wordsAbove, wordsFor } from "@/domain/form";
import { Problem } from "@/domain/problem";

/** One thing that is sent: whether it is under way, and what came of it. */
export interface Sending {
  readonly busy: boolean;
  readonly problem: Problem | null;
  /** True when it was done. A refusal is kept in `problem`; anything else that is thrown is a fault of ours. */
  readonly send: (task: () => Promise<unknown>) => Promise<boolean>;
  readonly clear: () => void;
}

export function useSending(): Sending {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const send = useCallback(async (task: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(null);
    try {
      await task();
      return true;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error);
      return false;
    } finally {
      setBusy(false);
    }
  }, []);
  const clear = useCallback(() => {
    setProblem(null);
  }, []);
  return { busy, problem, send, clear };
}

/** The values of a form, read when it is sent. */
export class FormValues {
  constructor(private readonly data: FormData) {}

  text(name: string): string {
    const value = this.data.get(name);
    return typeof value === "string" ? value : "";
  }

  trimmed(name: string): string {
    return this.text(name).trim();
  }

  /** Not a number, and empty, are null. */
  number(name: string): number | null {
    const text = this.trimmed(name).replace(",", ".");
    return text === "" || Number.isNaN(Number(text)) ? null : Number(text);
  }

  all(name: string): string[] {
    return this.data.getAll(name).filter((value) => typeof value === "string");
  }

  has(name: string): boolean {
    return this.data.has(name);
  }
}

export interface Form {
  readonly busy: boolean;
  readonly problem: Problem | null;
  /** What to say above the form, and at one of its fields. */
  readonly words: string | null;
  readonly wrong: (field: string) => string | undefined;
  readonly onSubmit: (event: SubmitEvent<HTMLFormElement>) => void;
}

/** A form that shows what the server refuses where it belongs. `fields`: those that show it themselves. */
export function useForm(fields: readonly string[], task: (values: FormValues) => Promise<unknown>): Form {
  const { busy, problem, send } = useSending();
  return {
    busy,
    problem,
    words: problem ? wordsAbove(problem, fields) : null,
    wrong: (field) => wordsFor(problem, field),
    onSubmit: (event) => {
      event.preventDefault();
      // A dialog is within another component's tree, and its form may be within another form.
      event.stopPropagation();
      // With the button that sent it, where a form has two.
      const { submitter } = event.nativeEvent;
      const values = new FormValues(new FormData(event.currentTarget, submitter));
      void send(() => task(values));
    },
  };
}

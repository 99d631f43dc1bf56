import { useCallback } from "react";
import { useSites } from "./use-data";
import { useSetting } from "./use-setting";

/** The organization that the person looks at; null for all of theirs. A choice they no longer belong to is none. */
export function useOrganization(): { chosen: number | null; choose: (id: number | null) => void } {
  const { data: sites } = useSites();
  const [value, set] = useSetting("organization");
  const wanted = value === null ? null : Number(value);
  const chosen = sites?.some((site) => site.organization.id === wanted) ? wanted : null;
  const choose = useCallback(
    (id: number | null) => {
      set(id === null ? null : String(id));
    },
    [set],
  );
  return { chosen, choose };
}

import { useCallback } from "react";
import { may, type OwnOrganization } from "@/domain/site";
import { useOrganizations } from "./use-data";
import { useSetting } from "./use-setting";

/** The organization that the person looks at; null for all of theirs. A choice they no longer belong to is none. */
export function useOrganization(): { chosen: number | null; choose: (id: number | null) => void } {
  const { data: organizations } = useOrganizations();
  const [value, set] = useSetting("organization");
  const wanted = value === null ? null : Number(value);
  const chosen = organizations?.some((organization) => organization.id === wanted) ? wanted : null;
  const choose = useCallback(
    (id: number | null) => {
      set(id === null ? null : String(id));
    },
    [set],
  );
  return { chosen, choose };
}

/** Those whose people the caller manages. */
export function useManagedOrganizations(): readonly OwnOrganization[] {
  const { data } = useOrganizations();
  return (data ?? []).filter((organization) => may(organization, "manage_org_users"));
}

/** The one that administration is about: of the page, else the chosen one, else the only one. */
export function useManagedOrganization(onPage: number | null): OwnOrganization | null {
  const managed = useManagedOrganizations();
  const { chosen } = useOrganization();
  const wanted = onPage ?? chosen ?? (managed.length === 1 ? managed[0]?.id : null);
  return managed.find((organization) => organization.id === wanted) ?? null;
}

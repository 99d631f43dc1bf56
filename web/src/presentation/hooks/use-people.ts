import useSWR, { useSWRConfig, type SWRResponse } from "swr";
import type { ExplainedAccess, Invitation, Member } from "@/domain/people";
import { useServices } from "@/presentation/services";
import { OPTIONS } from "./use-data";

export function useMembers(organization: number): SWRResponse<Member[], unknown> {
  const { people } = useServices();
  return useSWR(["members", organization], () => people.members(organization), OPTIONS);
}

/** While a message is on its way, what became of it is asked for again. */
const MAIL_MS = 3_000;

export function useInvitations(organization: number): SWRResponse<Invitation[], unknown> {
  const { people } = useServices();
  return useSWR<Invitation[], unknown>(["invitations", organization], () => people.invitations(organization), {
    ...OPTIONS, refreshInterval: (rows) => (rows?.some((row) => row.delivery === "waiting") ? MAIL_MS : 0),
  });
}

export function usePeopleOfSite(site: number): SWRResponse<ExplainedAccess[], unknown> {
  const { people } = useServices();
  return useSWR(["people-of-site", site], () => people.peopleOfSite(site), OPTIONS);
}

const ABOUT_PEOPLE = ["members", "invitations", "people-of-site"];

/** Fetch again what says who may do what: one change is often seen in several lists. */
export function useRefreshPeople(): () => Promise<unknown> {
  const { mutate } = useSWRConfig();
  return () => mutate((key) => key === "organizations" || (Array.isArray(key) && ABOUT_PEOPLE.includes(String(key[0]))));
}

import type { AuthGateway, Setup } from "./people-ports";
import type { Session } from "./session";

/** The one-time setup: makes the first administrator with their organization, and signs them in. */
export async function createFirstAdmin(gateway: AuthGateway, session: Session, setup: Setup): Promise<void> {
  session.adopt(await gateway.setUp(setup));
}

import type { AccountGateway, AuthGateway } from "./people-ports";
import type { Session } from "./session";

/** Someone new accepts: the account is made, and they are signed in. */
export async function joinAsNew(auth: AuthGateway, session: Session, token: string, name: string, password: string): Promise<void> {
  session.adopt(await auth.joinAsNew(token, name, password));
}

/** Someone who is signed in already accepts with that account. */
export async function joinAsMyself(account: AccountGateway, session: Session, token: string): Promise<void> {
  session.learn(await account.join(token));
}

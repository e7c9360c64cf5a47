/** `/auth/…`: who the consumer is. Whoever signs in takes what they have as a guest along. */

import { isRefusedToken, type Api } from "./api";
import { isFanfareError } from "./errors";
import type { SessionListener } from "./session";
import type { Schemas, Session, Tokens } from "./types";

/** One address: e-mail, or a telephone number (E.164, or as dialled in `defaultCountry`). */
export type Contact = { email: string } | { phone: string; defaultCountry?: string };
export type CodeRequested = Schemas["Requested"];

export class Auth {
  constructor(private readonly api: Api) {}

  /** The session there is, null where there is none; the same object until it changes. Asks no server. */
  session(): Session | null {
    return this.api.sessions.current();
  }

  /** Be told of every other session, also by other tabs, until the returned function is called. */
  onChange(listener: SessionListener): () => void {
    return this.api.sessions.onChange(listener);
  }

  /** The session there is, or a new guest's. Calls that need one open it by themselves. */
  async guest(): Promise<Session> {
    await this.api.sessions.token(true);
    return this.api.sessions.require();
  }

  /** Have a one-time code sent. The answer is the same whether or not the address is known. */
  requestOtp(contact: Contact & { name?: string }): Promise<CodeRequested> {
    return this.api.open<CodeRequested>({ method: "POST", path: "/auth/otp/request", body: contact });
  }

  /** Sign in by code. Rejects with OTP_INVALID or OTP_EXPIRED. */
  verifyOtp(sign: Contact & { code: string }): Promise<Session> {
    return this.signIn("/auth/otp/verify", sign);
  }

  /** Sign in by a code that the shop's server got for its customer. */
  exchange(exchangeCode: string): Promise<Session> {
    return this.signIn("/auth/external/exchange", { exchangeCode });
  }

  /** Renew the tokens now; null where there is no session, or it has ended. Calls do it in time by themselves. */
  refresh(): Promise<Session | null> {
    return this.api.sessions.refresh();
  }

  /** End the session. It is forgotten here even if the server can't be told, which is then rejected. */
  async logout(): Promise<void> {
    const { sessions } = this.api;
    try {
      await this.api.asConsumer({ method: "POST", path: "/auth/logout" }, { opens: false });
    } catch (error) {
      if (!isFanfareError(error) || error.status !== 401) throw error;
    } finally {
      sessions.drop();
    }
  }

  private async signIn(path: string, body: object): Promise<Session> {
    const { sessions } = this.api;
    const call = { method: "POST", path, body } as const;
    try {
      return sessions.accept(await this.api.asConsumer<Tokens>(call, { opens: false }));
    } catch (error) {
      // Without a session, or where it turned out to have ended, there is nothing to take along.
      if (sessions.current() || !isRefusedToken(error)) throw error;
      return sessions.accept(await this.api.open<Tokens>(call));
    }
  }
}

/** Calls with the key alone, or as the consumer, whose session is opened, renewed and replaced underway. */

import { FanfareError } from "./errors";
import type { Call, Http } from "./http";
import type { Sessions } from "./session";
import type { Challenge } from "./types";

const REFUSED = ["AUTHENTICATION_REQUIRED", "TOKEN_EXPIRED"];

export interface Manner {
  /** Open a guest session where there is none; true unless said. */
  opens?: boolean;
  /** Send the device's fingerprint along. */
  fingerprinted?: boolean;
}

/** Finds the answer to a proof of work: altcha's payload, in Base64. */
export type Solve = (challenge: Challenge) => Promise<string>;

export class Api {
  constructor(
    private readonly http: Http,
    readonly sessions: Sessions,
    readonly fingerprint: () => Promise<string>,
    private readonly solve?: Solve,
  ) {}

  /** With the publishable key alone. */
  open<T>(call: Call): Promise<T> {
    return this.http.send<T>(call);
  }

  /** As the consumer, who pays for it where it costs a proof of work and there is something to solve it. */
  async asConsumer<T>(call: Call, manner: Manner = {}): Promise<T> {
    try {
      return await this.withToken<T>(call, manner);
    } catch (error) {
      const isPriced = error instanceof FanfareError && error.code === "PROOF_OF_WORK_REQUIRED";
      if (!isPriced || !this.solve) throw error;
      const path = call.path.replace(/[^/]+$/, "challenge");
      const challenge = await this.withToken<Challenge>({ method: "GET", path, repeatable: true }, manner);
      const paid = { "X-Altcha": await this.solve(challenge) };
      return this.withToken<T>({ ...call, headers: { ...call.headers, ...paid } }, manner);
    }
  }

  /** A token that the server refuses is replaced once; what is then refused is rejected. */
  private async withToken<T>(call: Call, { opens = true, fingerprinted = false }: Manner): Promise<T> {
    const token = await this.sessions.token(opens);
    if (token === null) throw noSession();
    const headers = fingerprinted ? { "X-Fingerprint": await this.fingerprint() } : {};
    const send = (by: string) =>
      this.http.send<T>({ ...call, headers: { ...call.headers, ...headers, Authorization: `Bearer ${by}` } });
    try {
      return await send(token);
    } catch (error) {
      if (!isRefusedToken(error)) throw error;
      const another = await this.sessions.replace(token, opens);
      if (another === null) throw error;
      return send(another);
    }
  }
}

/** Whether the access token was refused, and not a code or a refresh token. */
export function isRefusedToken(error: unknown): boolean {
  return error instanceof FanfareError && error.status === 401 && REFUSED.includes(error.code);
}

function noSession(): FanfareError {
  const code = "AUTHENTICATION_REQUIRED";
  return new FanfareError(401, { code, error: "Authentication required", message: "There is no session." });
}

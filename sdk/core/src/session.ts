/** Who the consumer is: a session that is opened when first needed, kept, and renewed before it expires. */

import { FanfareError, isFanfareError } from "./errors";
import type { Http } from "./http";
import type { SafeStorage } from "./storage";
import { exclusive } from "./tabs";
import type { Session, Tokens } from "./types";

const NAME = "session";

interface Kept {
  session: Session;
  accessToken: string;
  refreshToken: string;
  /** By this device's clock, which may be wrong: only differences to itself are used. */
  receivedAt: number;
  /** Milliseconds after receipt; null: nobody knows, the server will say. */
  renewAfter: number | null;
}

export type SessionListener = (session: Session | null) => void;

export class Sessions {
  private readonly listeners = new Set<SessionListener>();
  private readonly running = new Map<string, Promise<void>>();
  private cached: { text: string | null; kept: Kept | null } = { text: null, kept: null };
  private told: string | null = null;

  constructor(
    private readonly http: Http,
    private readonly storage: SafeStorage,
  ) {}

  /** The session there is; the same object until it changes. Asks no server. */
  current(): Session | null {
    return this.read()?.session ?? null;
  }

  /** The session that must be there by now. */
  require(): Session {
    const found = this.current();
    if (!found) throw new Error("The session was dropped meanwhile.");
    return found;
  }

  /** An access token that should be good; null where there is no session and none is to be opened. */
  async token(opens: boolean): Promise<string | null> {
    const kept = this.read();
    if (kept && isFresh(kept)) return kept.accessToken;
    if (kept) await this.renew(kept.accessToken).catch(() => undefined); // too old or not, the server will say
    if (opens && !this.read()) await this.once("guest", () => this.openGuest());
    return this.read()?.accessToken ?? null;
  }

  /** Another token for one that the server refused; null as in `token`. */
  async replace(refused: string, opens: boolean): Promise<string | null> {
    await this.renew(refused);
    return this.token(opens);
  }

  /** A new pair of tokens for the present session, if there is one and it has not ended. */
  async refresh(): Promise<Session | null> {
    const kept = this.read();
    if (kept) await this.renew(kept.accessToken);
    return this.current();
  }

  /** From now on the consumer is who these tokens say. */
  accept(tokens: Tokens): Session {
    const { session, accessToken, refreshToken } = tokens as Partial<Tokens>;
    if (!session?.consumerId || !isToken(accessToken) || !isToken(refreshToken)) throw noTokens();
    const kept = { session, accessToken, refreshToken, receivedAt: Date.now(), renewAfter: planned(accessToken) };
    this.storage.setItem(NAME, JSON.stringify(kept));
    this.tell();
    return this.require();
  }

  /** Forget the session. */
  drop(): void {
    this.storage.removeItem(NAME);
    this.tell();
  }

  /** Be told of every other session, other tabs' doings included, until the returned function is called. */
  onChange(listener: SessionListener): () => void {
    if (this.listeners.size === 0) {
      this.told = this.read()?.accessToken ?? null;
      this.follow("addEventListener");
    }
    this.listeners.add(listener);
    return () => {
      if (this.listeners.delete(listener) && this.listeners.size === 0) this.follow("removeEventListener");
    };
  }

  private follow(verb: "addEventListener" | "removeEventListener"): void {
    const { [verb]: follow } = globalThis as Partial<typeof globalThis>; // Node may have a localStorage and no events
    if (this.storage.isShared) follow?.("storage", this.onStorage as EventListener);
  }

  private readonly onStorage = ({ key }: StorageEvent): void => {
    if (key === null || key === this.storage.key(NAME)) this.tell();
  };

  private tell(): void {
    const kept = this.read();
    if ((kept?.accessToken ?? null) === this.told) return;
    this.told = kept?.accessToken ?? null;
    for (const listener of [...this.listeners]) listener(kept?.session ?? null);
  }

  private read(): Kept | null {
    const text = this.storage.getItem(NAME);
    if (text !== this.cached.text) this.cached = { text, kept: text === null ? null : parse(text) };
    return this.cached.kept;
  }

  private renew(stale: string): Promise<void> {
    return this.once("renew", async () => {
      const kept = this.read();
      if (kept?.accessToken !== stale) return; // another tab was first
      const { refreshToken } = kept;
      try {
        const tokens = await this.http.send<Tokens>({
          method: "POST",
          path: "/auth/refresh",
          body: { refreshToken },
        });
        // Renewing never changes who it is: each change is looked at anew, and a server that lies could go on for ever.
        if ((tokens as Partial<Tokens>).session?.consumerId !== kept.session.consumerId) throw noTokens();
        // A sign-in meanwhile counts for more.
        if (this.read()?.accessToken === stale) this.accept(tokens);
      } catch (error) {
        if (!isFanfareError(error, "INVALID_REFRESH_TOKEN")) throw error;
        if (this.read()?.accessToken === stale) this.drop();
      }
    });
  }

  private async openGuest(): Promise<void> {
    if (this.read()) return;
    const tokens = await this.http.send<Tokens>({ method: "POST", path: "/auth/guest" });
    if (!this.read()) this.accept(tokens);
  }

  /** However many ask at once, in this tab or another one, it is done once. */
  private once(what: string, task: () => Promise<void>): Promise<void> {
    const running =
      this.running.get(what) ??
      exclusive(this.storage.key("lock"), this.storage, task).finally(() => this.running.delete(what));
    this.running.set(what, running);
    return running;
  }
}

function isFresh({ receivedAt, renewAfter }: Kept): boolean {
  const age = Date.now() - receivedAt; // negative: the clock was set back, so nobody knows
  return renewAfter === null || (age >= 0 && age < renewAfter);
}

/** After how many milliseconds to renew: in the last quarter of its life, browsers apart. */
function planned(accessToken: string): number | null {
  const { iat, exp } = claims(accessToken);
  const seconds = Number(exp) - Number(iat);
  return seconds > 0 ? seconds * 1000 * (0.75 + 0.15 * Math.random()) : null;
}

function claims(token: string): { iat?: unknown; exp?: unknown } {
  try {
    const [, payload = ""] = token.split(".");
    return JSON.parse(atob(payload.replace(/-/g, "+").replace(/_/g, "/"))) as { iat?: unknown; exp?: unknown };
  } catch {
    return {};
  }
}

function parse(text: string): Kept | null {
  try {
    const kept = JSON.parse(text) as Partial<Kept> | null;
    return kept?.session?.consumerId && isToken(kept.accessToken) && isToken(kept.refreshToken) ? (kept as Kept) : null;
  } catch {
    return null;
  }
}

/** Whether a header or a body can carry it: what can't would be refused, or fail, for ever. */
function isToken(text: unknown): text is string {
  return typeof text === "string" && /^[\x21-\x7e]+$/.test(text);
}

function noTokens(): FanfareError {
  return new FanfareError(200, { message: "The answer names no session." });
}

/** A server that is not there: answers by rules, and keeps every request with its time. */

import type { Fetch } from "../src/http";
import type { Tokens } from "../src/types";

export interface Asked {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  credentials: string | undefined;
  body: unknown;
  at: number;
}

export interface Answer {
  status?: number;
  json?: unknown;
  text?: string;
  headers?: Record<string, string>;
}

type Rule = Answer | ((asked: Asked) => Answer | Promise<Answer>);

export const BASE = "https://api.test/api/v1";
export const KEY = "pk_test_1";
export const HTML: Answer = { status: 200, text: "<html>", headers: { "Content-Type": "text/html" } };

export class FakeServer {
  readonly requests: Asked[] = [];
  private readonly rules = new Map<string, Rule[]>();
  private guests = 0;
  private renewals = 0;

  constructor() {
    this.on("POST /auth/guest", () => ({ json: tokens(`cons_${++this.guests}`) }));
    this.on("POST /auth/refresh", (asked) => {
      const { refreshToken } = asked.body as { refreshToken: string };
      const [, consumer = ""] = refreshToken.split("/");
      return { json: tokens(consumer, { generation: ++this.renewals }) };
    });
  }

  /** Answers in turn, the last one for good. */
  on(what: string, ...rules: Rule[]): this {
    this.rules.set(what, rules);
    return this;
  }

  /** What was asked, as `GET /path`. */
  get asked(): string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  count(what: string): number {
    return this.asked.filter((one) => one === what).length;
  }

  /** Seconds between the requests of this kind. */
  gaps(what: string): number[] {
    const times = this.requests.filter(({ method, path }) => `${method} ${path}` === what).map(({ at }) => at);
    return times.slice(1).map((at, index) => (at - (times[index] ?? 0)) / 1000);
  }

  readonly fetch: Fetch = async (input, init) => {
    if (init.signal?.aborted) throw new DOMException("aborted", "AbortError");
    const url = new URL(input);
    const asked: Asked = {
      method: init.method ?? "GET",
      path: url.pathname.replace("/api/v1", ""),
      query: url.search,
      headers: init.headers as Record<string, string>,
      credentials: init.credentials,
      body: typeof init.body === "string" ? (JSON.parse(init.body) as unknown) : undefined,
      at: Date.now(),
    };
    this.requests.push(asked);
    const answer = await Promise.race([this.answer(asked), aborted(init.signal)]);
    const text = answer.text ?? (answer.json === undefined ? null : JSON.stringify(answer.json));
    const headers = { "Content-Type": "application/json", ...answer.headers };
    return new Response(text, { status: answer.status ?? 200, headers });
  };

  private async answer(asked: Asked): Promise<Answer> {
    const rules = this.rules.get(`${asked.method} ${asked.path}`);
    const rule = rules && rules.length > 1 ? rules.shift() : rules?.[0];
    if (!rule) return refusal(404, "NOT_FOUND");
    return typeof rule === "function" ? rule(asked) : rule;
  }
}

function aborted(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) =>
    signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError"))),
  );
}

/** What a server that is away does. */
export function away(): Answer {
  throw new TypeError("Failed to fetch");
}

/** What a server that never answers does. */
export function silent(): Promise<Answer> {
  return new Promise(() => undefined);
}

export function refusal(status: number, code: string, more: object = {}): Answer {
  return { status, json: { error: code, code, message: `${code}.`, requestId: "r1", ...more } };
}

export const UNAUTHENTICATED = refusal(401, "AUTHENTICATION_REQUIRED");

/** An hour's tokens; `skewSeconds`: how far the server's clock is ahead of the device's. */
export function tokens(
  consumerId: string,
  { type = "guest", generation = 0, seconds = 3600, skewSeconds = 0 } = {},
): Tokens {
  const iat = Math.floor(Date.now() / 1000) + skewSeconds;
  const claims = Buffer.from(JSON.stringify({ iat, exp: iat + seconds, sub: consumerId, generation }));
  const at = (after: number) => new Date((iat + after) * 1000).toISOString();
  return {
    session: { type: type as "guest", consumerId, guestId: consumerId, expiresAt: at(30 * 86400) },
    accessToken: `head.${claims.toString("base64url")}.sign`,
    accessTokenExpiresAt: at(seconds),
    refreshToken: `rt_${generation}/${consumerId}`,
  };
}

export function queued(position: number, pollAfterSeconds = 10): Answer {
  return { json: { status: "QUEUED", queueId: "q", consumerId: "cons_1", enteredAt: "t", position, pollAfterSeconds } };
}

export const ADMITTED: Answer = {
  json: { status: "ADMITTED", queueId: "q", consumerId: "cons_1", enteredAt: "t", position: 0, admissionToken: "a" },
};
export const COMPLETED: Answer = { json: { status: "COMPLETED", queueId: "q", consumerId: "cons_1", enteredAt: "t" } };
export const LEFT: Answer = { json: { status: "LEFT", queueId: "q", consumerId: "cons_1", enteredAt: "t" } };

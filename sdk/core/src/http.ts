/** One request: address, headers, JSON, time limit, errors; and once more where that can do no harm. */

import { FanfareError, NetworkError, type RefusalBody } from "./errors";

export type Fetch = (input: string, init: RequestInit) => Promise<Response>;

export interface Call {
  method: "DELETE" | "GET" | "POST";
  /** Below the base URL, with a leading slash. */
  path: string;
  query?: object | undefined;
  body?: unknown;
  headers?: Record<string, string>;
  /** The media type of the answer; JSON unless said. */
  accept?: string;
  /** May happen twice: is sent again after a network error, or a 503 that says when. */
  repeatable?: boolean;
  /** Of what is not repeatable. */
  signal?: AbortSignal | undefined;
}

const TRIES = 3;
const TIMEOUT_MS = 15_000;
const LONGEST_PAUSE_SECONDS = 30; // a longer one is the caller's to wait
const JSON_TYPE = "application/json";

export class Http {
  constructor(
    private readonly baseUrl: string,
    private readonly publishableKey: string,
    private readonly fetch: Fetch | undefined,
  ) {}

  /** The decoded answer. Rejects with FanfareError or NetworkError. */
  async send<T>(call: Call): Promise<T> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.once<T>(call);
      } catch (error) {
        const pause = call.repeatable && tried < TRIES ? pauseAfter(error, tried) : null;
        if (pause === null) throw error;
        await new Promise((resolve) => setTimeout(resolve, pause * 1000));
      }
    }
  }

  private async once<T>(call: Call): Promise<T> {
    const abort = new AbortController();
    const cancel = () => abort.abort();
    const timer = setTimeout(cancel, TIMEOUT_MS);
    if (call.signal?.aborted) cancel();
    call.signal?.addEventListener("abort", cancel);
    try {
      const send = this.fetch ?? globalThis.fetch;
      const response = await send(this.address(call), { ...this.described(call), signal: abort.signal });
      return read(response, await response.text(), call.accept ?? JSON_TYPE) as T;
    } catch (error) {
      if (error instanceof FanfareError) throw error;
      const code = call.signal?.aborted ? "ABORTED" : abort.signal.aborted ? "TIMEOUT" : "UNREACHABLE";
      throw new NetworkError(code, error);
    } finally {
      clearTimeout(timer);
      call.signal?.removeEventListener("abort", cancel);
    }
  }

  private address({ path, query = {} }: Call): string {
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
    return this.baseUrl + path + (text && `?${text}`);
  }

  private described({ method, body, headers, accept = JSON_TYPE }: Call): RequestInit {
    const json = body === undefined ? undefined : JSON.stringify(body);
    return {
      method,
      credentials: "omit",
      redirect: "manual", // the API has none; what is sent is for nobody else
      headers: {
        Accept: accept,
        "X-Publishable-Key": this.publishableKey,
        ...(json === undefined ? {} : { "Content-Type": JSON_TYPE }),
        ...headers,
      },
      ...(json === undefined ? {} : { body: json }),
    };
  }
}

/** One part of a path. What is no id, `..` say, or none at all, stays one, and is the server's to refuse. */
export function segment(id: unknown): string {
  const text = String(id).replace(/\p{Surrogate}/gu, "\ufffd");
  return /^\.{0,2}$/.test(text) ? "-" : encodeURIComponent(text);
}

function read(response: Response, text: string, accept: string): unknown {
  const { ok, status, headers } = response;
  if (status === 204) return undefined;
  const type = headers.get("Content-Type") ?? "";
  const parsed: unknown = type.startsWith(JSON_TYPE) ? parse(text) : undefined;
  if (ok && accept !== JSON_TYPE && type.startsWith(accept)) return text;
  if (ok && accept === JSON_TYPE && isObject(parsed)) return parsed;
  const wait = parseInt(headers.get("Retry-After") ?? "", 10);
  const foreign = { message: `The answer (${status}, ${type || "no type"}) is not the API's.` };
  throw new FanfareError(status, isRefusal(parsed) && !ok ? parsed : foreign, wait > 0 ? wait : undefined);
}

function isRefusal(parsed: unknown): parsed is RefusalBody {
  return isObject(parsed) && typeof (parsed as RefusalBody).code === "string";
}

/** All that the API answers is one. */
function isObject(parsed: unknown): boolean {
  return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Seconds until the next try; null: there is none. */
function pauseAfter(error: unknown, tried: number): number | null {
  if (error instanceof NetworkError) {
    return error.code === "ABORTED" ? null : 0.5 * 2 ** (tried - 1) * (1 + Math.random());
  }
  const { status, retryAfter } = error as FanfareError;
  const isAdvised = status === 503 && retryAfter !== undefined && retryAfter <= LONGEST_PAUSE_SECONDS;
  return isAdvised ? retryAfter * (1 + 0.2 * Math.random()) : null;
}

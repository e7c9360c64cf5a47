/** What can go wrong, typed: the server refused, or there was no answer to go by. */

import type { ApiCode } from "./codes";
import type { Schemas } from "./types";

/** Codes of the API's description, those of any HTTP API, and `INVALID_RESPONSE`: an answer that is not the API's. */
export type ErrorCode =
  | ApiCode
  | "FORBIDDEN"
  | "INTERNAL_ERROR"
  | "INVALID_RESPONSE"
  | "METHOD_NOT_ALLOWED"
  | "NOT_FOUND"
  | (string & {});

/** What is wrong with one field. */
export interface ErrorDetail {
  field: string;
  message: string;
}

export type RefusalBody = Partial<Schemas["Error"]> & Record<string, unknown>;

/** The server refused. `code` and `error` are stable; `message` explains. */
export class FanfareError extends Error {
  override readonly name = "FanfareError";
  /** The HTTP status. */
  readonly status: number;
  readonly code: ErrorCode;
  readonly error: string;
  readonly details: readonly ErrorDetail[];
  /** Seconds until asking again makes sense. */
  readonly retryAfter: number | undefined;
  /** Names the request in the server's log. */
  readonly requestId: string | undefined;
  /** What else the refusal says, such as `openAt` or `minimumNextBid`. */
  readonly extra: Readonly<Record<string, unknown>>;

  constructor(status: number, body: RefusalBody, retryAfter?: number) {
    const { error, code, message, details, requestId, retryAfter: told, ...extra } = body;
    super(message ?? error ?? "The server refused.");
    this.status = status;
    this.code = code ?? "INVALID_RESPONSE";
    this.error = error ?? "Invalid response";
    this.details = details ?? [];
    this.retryAfter = typeof told === "number" && told > 0 ? told : retryAfter;
    this.requestId = requestId;
    this.extra = extra;
  }
}

/** No answer came: `UNREACHABLE` (offline, blocked by CORS, server away), `TIMEOUT`, or `ABORTED` by the caller. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
  readonly code: "ABORTED" | "TIMEOUT" | "UNREACHABLE";

  constructor(code: NetworkError["code"], cause?: unknown) {
    super(`No answer from the server (${code.toLowerCase()}).`, { cause });
    this.code = code;
  }
}

/** All that a call rejects with, misuse aside. */
export type Failure = FanfareError | NetworkError;

/** Whether the server refused, with this code where one is given. */
export function isFanfareError(error: unknown, code?: ErrorCode): error is FanfareError {
  return error instanceof FanfareError && (code === undefined || error.code === code);
}

/** Doing something when everybody does: again and again where the server asks for patience, and no longer. */

import { FanfareError, NetworkError } from "@fanfare/sdk-core";

const FIRST_SECONDS = 2;
const LONGEST_SECONDS = 60;
const SPREAD = 0.3;

/** Seconds until it makes sense to try again, the number of failures so far in mind; null: it does not. */
export function pause(error: unknown, failures: number, chance = Math.random()): number | null {
  const isCrowd = error instanceof FanfareError && (error.code === "RATE_LIMIT_EXCEEDED" || error.status >= 500);
  if (!isCrowd && !(error instanceof NetworkError)) return null;
  const told = error instanceof FanfareError ? (error.retryAfter ?? 0) : 0;
  const backoff = Math.min(FIRST_SECONDS * 2 ** (failures - 1), LONGEST_SECONDS);
  return Math.max(told, backoff) * (1 + SPREAD * chance); // never before the server's time
}

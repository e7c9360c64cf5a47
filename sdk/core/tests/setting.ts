/** What most tests begin with. */

import { afterEach, beforeEach, vi } from "vitest";
import { Fanfare, type FanfareOptions } from "../src";
import { BASE, FakeServer, KEY } from "./server";

export const NOW = new Date("2026-12-01T09:00:00Z");

/** Fake time in every test of a file; chance is in the middle unless a test says otherwise. */
export function inFakeTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ now: NOW });
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    vi.stubGlobal("BroadcastChannel", undefined); // Node's would carry from one test to the next
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
}

export function client(server: FakeServer, options: Partial<FanfareOptions> = {}): Fanfare {
  return new Fanfare({ publishableKey: KEY, baseUrl: BASE, fetch: server.fetch, ...options });
}

/** Let so many seconds pass. */
export async function pass(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
}

/** What a promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  const found = promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  await pass(120);
  return found;
}

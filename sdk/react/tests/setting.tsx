/** What the tests of hooks begin with: a page in fake time, and a component that joins a line. */

import { act, cleanup, screen } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";
import { BASE, type FakeServer, KEY } from "../../core/tests/server";
import { Fanfare, isFanfareError, useQueue } from "../src";

export const STATUS = "GET /queues/q/status";
export const ENTER = "POST /queues/q/enter";

export function onAPage(): void {
  beforeEach(() => {
    vi.useFakeTimers({ now: new Date("2026-12-01T09:00:00Z") });
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    vi.stubGlobal("BroadcastChannel", undefined);
    localStorage.clear();
  });
  afterEach(() => {
    cleanup();
    vi.useRealTimers();
    vi.restoreAllMocks();
    vi.unstubAllGlobals();
  });
}

export const pass = (seconds: number) => act(() => vi.advanceTimersByTimeAsync(seconds * 1000));
export const client = (server: FakeServer) => new Fanfare({ publishableKey: KEY, baseUrl: BASE, fetch: server.fetch });

export async function joined(server: FakeServer): Promise<Fanfare> {
  const fanfare = client(server);
  await Promise.all([fanfare.auth.guest(), vi.advanceTimersByTimeAsync(200)]);
  return fanfare;
}

export function Line({ id = "q" }: { id?: string }) {
  const { status, enter, leave, isLoading, error } = useQueue(id);
  return (
    <p>
      <output>{status?.status ?? "none"} {status?.position ?? ""}</output>
      <i>{isFanfareError(error) ? error.code : (error?.name ?? "fine")}</i>
      <button onClick={enter} disabled={isLoading}>Join</button>
      <button onClick={leave}>Leave</button>
    </p>
  );
}

export const shown = () => screen.getAllByRole("status").map(({ textContent }) => textContent.trim());
export const join = () => screen.getByText<HTMLButtonElement>("Join");

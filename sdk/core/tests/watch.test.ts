import { describe, expect, it, vi } from "vitest";
import type { QueueStatus, Watched } from "../src";
import { comeOnline, openBrowser, setHidden } from "./browser";
import {
  ADMITTED, away, COMPLETED, FakeServer, HTML, LEFT, queued, refusal, tokens, UNAUTHENTICATED,
} from "./server";
import { client, inFakeTime, pass } from "./setting";

inFakeTime();

const STATUS = "GET /queues/q/status";
const ENTER = "POST /queues/q/enter";
const NOT_IN = refusal(404, "CONSUMER_NOT_IN_QUEUE");

/** A client with a session, what its watcher of the queue hears, and how to stop that. */
async function watching(server: FakeServer) {
  const fanfare = client(server);
  await fanfare.auth.guest();
  const heard: Watched<QueueStatus>[] = [];
  const stop = fanfare.queues.watch("q", (watched) => heard.push(watched));
  return { fanfare, heard, stop, statuses: () => heard.map(({ value }) => value?.status ?? null) };
}

describe("asking", () => {
  it("is as often as the server advises, and ends at a final status", async () => {
    const server = new FakeServer().on(STATUS, queued(9, 20), queued(4, 5), COMPLETED);
    const { statuses } = await watching(server);
    await pass(600);
    expect(statuses()).toEqual(["QUEUED", "QUEUED", "COMPLETED"]);
    expect(server.gaps(STATUS)).toEqual([20, 5]);
  });

  it.each([
    [0, 8],
    [0.999999, 12],
  ])("is spread by a fifth: chance %d", async (chance, seconds) => {
    const server = new FakeServer().on(STATUS, queued(9, 10));
    vi.mocked(Math.random).mockReturnValue(chance);
    const { stop } = await watching(server);
    await pass(30);
    stop();
    expect(server.gaps(STATUS)[0]).toBeCloseTo(seconds, 1);
  });

  it("goes on while admitted, until the admission is used", async () => {
    const server = new FakeServer().on(STATUS, ADMITTED, ADMITTED, COMPLETED);
    const { statuses } = await watching(server);
    await pass(600);
    expect(statuses()).toEqual(["ADMITTED", "ADMITTED", "COMPLETED"]);
    expect(server.gaps(STATUS)).toEqual([15, 15]);
  });

  it("stops when nobody listens, also while a request is underway", async () => {
    let answer: (given: object) => void = () => undefined;
    const late = new Promise<object>((resolve) => (answer = resolve));
    const server = new FakeServer().on(STATUS, () => late);
    const { heard, stop } = await watching(server);
    await pass(1);
    expect(server.count(STATUS)).toBe(1);
    stop();
    answer(queued(1));
    await pass(600);
    expect(heard).toEqual([]);
    expect(server.count(STATUS)).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is not done for a listener that is gone at once, as in React's strict mode", async () => {
    const server = new FakeServer().on(STATUS, queued(1));
    const { fanfare, stop } = await watching(server);
    stop();
    stop();
    const again = fanfare.queues.watch("q", () => undefined);
    await pass(1);
    again();
    expect(server.count(STATUS)).toBe(1);
  });

  it("is done once for many listeners, each told at once what is known", async () => {
    const server = new FakeServer().on(STATUS, queued(1));
    const { fanfare, heard, stop } = await watching(server);
    await pass(1);
    const late: Watched<QueueStatus>[] = [];
    const stopLate = fanfare.queues.watch("q", (watched) => late.push(watched));
    expect(late).toEqual(heard);
    expect(fanfare.queues.snapshot("q")).toBe(heard[0]);
    stop();
    await pass(11);
    expect([heard.length, late.length, server.count(STATUS)]).toEqual([1, 2, 2]);
    stopLate();
    expect(fanfare.queues.snapshot("q")).toBeUndefined();
  });

  it("survives a listener that throws", async () => {
    const server = new FakeServer().on(STATUS, queued(1));
    const complained = vi.spyOn(console, "error").mockReturnValue();
    const fanfare = client(server);
    await fanfare.auth.guest();
    const heard: unknown[] = [];
    fanfare.queues.watch("q", () => {
      throw new Error("mine");
    });
    fanfare.queues.watch("q", (watched) => heard.push(watched));
    await pass(25);
    expect(heard).toHaveLength(3);
    expect(complained).toHaveBeenCalledTimes(3);
  });
});

describe("who never entered", () => {
  it("is told so without any request where there is no session", async () => {
    const server = new FakeServer().on(STATUS, queued(1));
    const heard: unknown[] = [];
    client(server).queues.watch("q", (watched) => heard.push(watched));
    await pass(600);
    expect(heard).toEqual([{ value: null, error: null }]);
    expect(server.asked).toEqual([]);
  });

  it("is told so after one request where there is one", async () => {
    const server = new FakeServer().on(STATUS, NOT_IN);
    const { heard } = await watching(server);
    await pass(600);
    expect(heard).toEqual([{ value: null, error: null }]);
    expect(server.count(STATUS)).toBe(1);
  });

  it("is watched from the moment they enter", async () => {
    const slowly = async () => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return queued(2, 10);
    };
    const server = new FakeServer().on(ENTER, slowly).on(STATUS, ADMITTED);
    const fanfare = client(server);
    const heard: Watched<QueueStatus>[] = [];
    fanfare.queues.watch("q", (watched) => heard.push(watched));
    await pass(1);
    await Promise.all([fanfare.queues.enter("q"), pass(0.5)]);
    expect(heard.map(({ value }) => value?.status)).toEqual([undefined, "QUEUED"]);
    await pass(9);
    expect(server.count(STATUS)).toBe(0);
    await pass(2);
    expect(heard[2]?.value?.status).toBe("ADMITTED");
  });

  it("and leaves is no longer asked about, though an older answer comes late", async () => {
    let answer: (given: object) => void = () => undefined;
    const late = new Promise<object>((resolve) => (answer = resolve));
    const server = new FakeServer().on(STATUS, () => late).on("POST /queues/q/leave", LEFT);
    const { fanfare, statuses } = await watching(server);
    await pass(1);
    await fanfare.queues.leave("q");
    answer(queued(1));
    await pass(600);
    expect(statuses()).toEqual(["LEFT"]);
    expect(server.count(STATUS)).toBe(1);
  });

  it("and signs in as somebody who did is looked up at once", async () => {
    const signedIn = { json: tokens("cons_9", { type: "authenticated" }) };
    const server = new FakeServer().on(STATUS, NOT_IN, queued(1)).on("POST /auth/otp/verify", signedIn);
    const { fanfare, statuses } = await watching(server);
    await pass(1);
    await fanfare.auth.verifyOtp({ email: "a@example.com", code: "123456" });
    await pass(1);
    expect(statuses()).toEqual([null, "QUEUED"]);
  });
});

describe("a hidden page", () => {
  it("asks nothing, and catches up on return", async () => {
    openBrowser();
    const server = new FakeServer().on(STATUS, queued(1, 10));
    await watching(server);
    await pass(1);
    setHidden(true);
    await pass(3600);
    expect(server.count(STATUS)).toBe(1);
    setHidden(false);
    await pass(0.1);
    expect(server.count(STATUS)).toBe(2);
  });

  it("that is back early waits for the rest", async () => {
    openBrowser();
    const server = new FakeServer().on(STATUS, queued(1, 10));
    await watching(server);
    await pass(1);
    setHidden(true);
    await pass(1);
    setHidden(false);
    await pass(7.5);
    expect(server.count(STATUS)).toBe(1);
    await pass(1);
    expect(server.count(STATUS)).toBe(2);
  });

  it("that is back after the clock was set back waits no longer than advised", async () => {
    openBrowser();
    const server = new FakeServer().on(STATUS, queued(1, 10));
    await watching(server);
    await pass(1);
    vi.setSystemTime(Date.now() - 3_600_000);
    setHidden(true);
    setHidden(false);
    await pass(10.1);
    expect(server.count(STATUS)).toBe(2);
  });

  it("that goes and comes all the time asks no more than advised", async () => {
    openBrowser();
    const server = new FakeServer().on(STATUS, queued(1, 10));
    await watching(server);
    for (let times = 0; times < 100; times++) {
      setHidden(times % 2 === 0);
      await pass(0.5);
    }
    expect(server.count(STATUS)).toBeLessThanOrEqual(6);
  });

  it("that begins hidden looks when it is shown", async () => {
    openBrowser();
    setHidden(true);
    const server = new FakeServer().on(STATUS, queued(1));
    await watching(server);
    await pass(60);
    expect(server.count(STATUS)).toBe(0);
    setHidden(false);
    await pass(0.1);
    expect(server.count(STATUS)).toBe(1);
  });
});

describe("errors", () => {
  it.each([
    ["the server is away", away],
    ["it answers HTML", HTML],
    ["it answers HTML as a failure", { ...HTML, status: 502 }],
    ["it crashes", refusal(500, "INTERNAL_ERROR")],
  ])("back off up to a minute: %s", async (_, answer) => {
    const server = new FakeServer().on(STATUS, answer);
    const { heard } = await watching(server);
    await pass(370);
    expect(server.gaps(STATUS).map((gap) => Math.round(gap / 1.1))).toEqual([2, 4, 8, 16, 32, 60, 60, 60, 60]);
    expect(heard[0]?.error?.code).toMatch(/^(UNREACHABLE|INVALID_RESPONSE|INTERNAL_ERROR)$/);
    expect(heard[0]?.value).toBeNull();
  });

  it.each([
    ["in the body", refusal(429, "RATE_LIMIT_EXCEEDED", { retryAfter: 120 })],
    ["in the header", { ...HTML, status: 503, headers: { ...HTML.headers, "Retry-After": "120" } }],
  ])("never come before the server's Retry-After %s", async (_, answer) => {
    const server = new FakeServer().on(STATUS, answer, COMPLETED);
    await watching(server);
    await pass(600);
    expect(server.gaps(STATUS)).toEqual([132]);
  });

  it("keep what was known, and end with the next answer", async () => {
    const server = new FakeServer().on(STATUS, queued(3), away, queued(2), COMPLETED);
    const { heard } = await watching(server);
    await pass(600);
    expect(heard.map(({ value, error }) => [value?.position, error?.code])).toEqual([
      [3, undefined],
      [3, "UNREACHABLE"],
      [2, undefined],
      [undefined, undefined],
    ]);
    expect(server.gaps(STATUS)[1]).toBeCloseTo(2.2);
  });

  it("begin anew after an answer", async () => {
    const server = new FakeServer().on(STATUS, away, away, queued(1, 10), away, COMPLETED);
    await watching(server);
    await pass(600);
    expect(server.gaps(STATUS).map((gap) => Number(gap.toFixed(1)))).toEqual([2.2, 4.4, 10, 2.2]);
  });

  it.each([
    ["a wrong id", refusal(404, "QUEUE_NOT_FOUND"), 1],
    ["a wrong key", UNAUTHENTICATED, 2],
  ])("that asking again does not change end it: %s", async (_, answer, requests) => {
    const server = new FakeServer().on(STATUS, answer);
    const { heard } = await watching(server);
    await pass(3600);
    expect(heard).toHaveLength(1);
    expect(heard[0]?.error).not.toBeNull();
    expect(server.count(STATUS)).toBe(requests);
  });

  it("of a session that has ended: told as never entered, and no guest is opened for it", async () => {
    const server = new FakeServer()
      .on(STATUS, queued(1), UNAUTHENTICATED)
      .on("POST /auth/refresh", refusal(401, "INVALID_REFRESH_TOKEN"));
    const { statuses } = await watching(server);
    await pass(3600);
    expect(statuses()[0]).toBe("QUEUED");
    expect(statuses().at(-1)).toBeNull();
    expect(server.count("POST /auth/guest")).toBe(1);
    expect(server.count(STATUS)).toBe(2);
  });

  it("of a device without a network end when it is back", async () => {
    openBrowser();
    const server = new FakeServer().on(STATUS, away, away, away, away, queued(1));
    await watching(server);
    await pass(25);
    expect(server.count(STATUS)).toBe(4);
    comeOnline();
    await pass(1);
    expect(server.count(STATUS)).toBe(5);
  });
});

it("an auction's price is watched while it runs, without a session", async () => {
  const open = { json: { id: "a", status: "OPEN", currentHighBid: "100.00", pollAfterSeconds: 5 } };
  const server = new FakeServer().on("GET /auctions/a", open, { json: { id: "a", status: "SETTLED" } });
  const heard: (string | undefined)[] = [];
  client(server).auctions.watchAuction("a", ({ value }) => heard.push(value?.status));
  await pass(600);
  expect(heard).toEqual(["OPEN", "SETTLED"]);
  expect(server.asked).toEqual(["GET /auctions/a", "GET /auctions/a"]);
});

it("bookings are looked up after each move, and once a minute", async () => {
  const status = { json: { status: "ADMITTED", bookings: [] } };
  const server = new FakeServer()
    .on("GET /appointments/p/status", status)
    .on("POST /appointments/p/book", status)
    .on("POST /appointments/p/rebook", status)
    .on("DELETE /appointments/p/cancel", { json: { status: "CANCELLED" } });
  const { appointments, auth } = client(server);
  await auth.guest();
  const stop = appointments.watch("p", () => undefined);
  await pass(1);
  for (const move of [
    () => appointments.book("p", { slotId: "s" }),
    () => appointments.rebook("p", { slotId: "t" }),
    () => appointments.cancel("p"),
  ]) {
    const before = server.count("GET /appointments/p/status");
    await move();
    await pass(0.1);
    expect(server.count("GET /appointments/p/status")).toBe(before + 1);
  }
  await pass(61);
  stop();
  expect(server.gaps("GET /appointments/p/status").at(-1)).toBe(60);
});

import { describe, expect, it, vi } from "vitest";
import { FanfareError, isFanfareError, NetworkError, type Fanfare } from "../src";
import { away, BASE, FakeServer, HTML, KEY, queued, refusal } from "./server";
import { client, failure, inFakeTime, pass } from "./setting";

inFakeTime();

type Does = (fanfare: Fanfare) => Promise<unknown>;
type Row = [name: string, does: Does, asked: string, body?: unknown, query?: string];

const ROWS: Row[] = [
  ["organizations.current", (f) => f.organizations.current(), "GET /organizations/current"],
  ["experiences.get", (f) => f.experiences.get("e"), "GET /experiences/e"],
  ["experiences.enter", (f) => f.experiences.enter("e", { accessCode: "A" }), "POST /experiences/e/enter", { accessCode: "A" }],
  ["experiences.leave", (f) => f.experiences.leave("e"), "DELETE /experiences/e/leave"],
  ["consumers.me", (f) => f.consumers.me(), "GET /consumers/me"],
  ["auth.requestOtp", (f) => f.auth.requestOtp({ email: "a@b.c" }), "POST /auth/otp/request", { email: "a@b.c" }],
  ["queues.get", (f) => f.queues.get("q"), "GET /queues/q"],
  ["queues.enter", (f) => f.queues.enter("q", { metadata: { size: 42 } }), "POST /queues/q/enter", { metadata: { size: 42 } }],
  ["queues.leave", (f) => f.queues.leave("q"), "POST /queues/q/leave"],
  ["queues.status", (f) => f.queues.status("q"), "GET /queues/q/status"],
  ["queues.proof", (f) => f.queues.proof("q", { limit: 5 }), "GET /queues/q/proof", undefined, "?limit=5"],
  ["draws.get", (f) => f.draws.get("d"), "GET /draws/d"],
  ["draws.enter", (f) => f.draws.enter("d"), "POST /draws/d/enter", {}],
  ["draws.leave", (f) => f.draws.leave("d"), "POST /draws/d/leave"],
  ["draws.status", (f) => f.draws.status("d"), "GET /draws/d/status"],
  ["draws.proof", (f) => f.draws.proof("d"), "GET /draws/d/proof"],
  ["auctions.get", (f) => f.auctions.get("a"), "GET /auctions/a"],
  ["auctions.status", (f) => f.auctions.status("a"), "GET /auctions/a/status"],
  ["auctions.bid", (f) => f.auctions.bid("a", { amount: "9.00", maxAmount: "20.00" }), "POST /auctions/a/bid", { amount: "9.00", maxAmount: "20.00" }],
  ["auctions.highestBid", (f) => f.auctions.highestBid("a"), "GET /auctions/a/highest-bid"],
  ["auctions.history", (f) => f.auctions.history("a", { cursor: "7" }), "GET /auctions/a/bids/history", undefined, "?cursor=7"],
  ["auctions.bids", (f) => f.auctions.bids("a"), "GET /auctions/a/bids"],
  ["timedReleases.get", (f) => f.timedReleases.get("r"), "GET /timed-releases/r"],
  ["timedReleases.enter", (f) => f.timedReleases.enter("r"), "POST /timed-releases/r/enter", {}],
  ["timedReleases.leave", (f) => f.timedReleases.leave("r"), "POST /timed-releases/r/leave"],
  ["timedReleases.status", (f) => f.timedReleases.status("r"), "GET /timed-releases/r/status"],
  ["appointments.get", (f) => f.appointments.get("p"), "GET /appointments/p"],
  ["appointments.slots", (f) => f.appointments.slots("p", { date: "2026-12-02", timeZone: "Europe/Berlin" }), "GET /appointments/p/slots", undefined, "?date=2026-12-02&timeZone=Europe%2FBerlin"],
  ["appointments.book", (f) => f.appointments.book("p", { slotId: "s" }), "POST /appointments/p/book", { slotId: "s" }],
  ["appointments.rebook", (f) => f.appointments.rebook("p", { slotTime: "t", bookingId: "b" }), "POST /appointments/p/rebook", { slotTime: "t", bookingId: "b" }],
  ["appointments.cancel", (f) => f.appointments.cancel("p", { bookingId: "b", reason: "ill" }), "DELETE /appointments/p/cancel", undefined, "?bookingId=b&reason=ill"],
  ["appointments.status", (f) => f.appointments.status("p"), "GET /appointments/p/status"],
  ["waitlists.get", (f) => f.waitlists.get("w"), "GET /waitlists/w"],
  ["waitlists.enter", (f) => f.waitlists.enter("w"), "POST /waitlists/w/enter", {}],
  ["waitlists.status", (f) => f.waitlists.status("w"), "GET /waitlists/w/status"],
  ["waitlists.leave", (f) => f.waitlists.leave("w"), "DELETE /waitlists/w/leave"],
];
const WITH_KEY_ALONE = /\.(get|slots|proof|highestBid|requestOtp|current)$/;
const FINGERPRINTED = /\.(enter|bid|book|rebook)$/;
const ANSWERED_AS_BEFORE = /^(?!auth\.requestOtp|appointments\.(rebook|cancel)$)/;

describe.each(ROWS)("%s", (name, does, what, body, query = "") => {
  it("asks what the contract says", async () => {
    const server = new FakeServer().on(what, { json: { answer: 1 } });
    const fanfare = client(server);
    expect(await does(fanfare)).toEqual({ answer: 1 });
    const asked = server.requests.at(-1)!;
    expect([`${asked.method} ${asked.path}`, asked.body, asked.query]).toEqual([what, body, query]);
    expect(asked.credentials).toBe("omit");
    expect(vi.getTimerCount()).toBe(0);
    expect(asked.headers["X-Publishable-Key"]).toBe(KEY);
    expect(asked.headers["Content-Type"]).toBe(body === undefined ? undefined : "application/json");
    expect(asked.headers.Authorization !== undefined).toBe(!WITH_KEY_ALONE.test(name));
    const isFingerprinted = FINGERPRINTED.test(name) && !name.startsWith("experiences");
    expect(asked.headers["X-Fingerprint"] !== undefined).toBe(isFingerprinted);
  });

  it("is sent three times at most, and only where it is answered as before", async () => {
    const server = new FakeServer().on(what, away);
    const fanfare = client(server);
    expect(await failure(does(fanfare))).toMatchObject({ name: "NetworkError", code: "UNREACHABLE" });
    expect(server.count(what)).toBe(ANSWERED_AS_BEFORE.test(name) ? 3 : 1);
  });
});

it("a calendar file is text", async () => {
  const what = "GET /appointments/p/bookings/b.ics";
  const file = { text: "BEGIN:VCALENDAR", headers: { "Content-Type": "text/calendar; charset=utf-8" } };
  const server = new FakeServer().on(what, file, HTML);
  const fanfare = client(server);
  expect(await fanfare.appointments.calendarFile("p", "b")).toBe("BEGIN:VCALENDAR");
  const refused = await failure(fanfare.appointments.calendarFile("p", "b"));
  expect(refused).toMatchObject({ code: "INVALID_RESPONSE", status: 200 });
});

it("a bid keeps its key over retries, and the next one has another", async () => {
  vi.mocked(Math.random).mockRestore();
  const server = new FakeServer().on("POST /auctions/a/bid", away, queued(1));
  const fanfare = client(server);
  const bid = fanfare.auctions.bid("a", { amount: "1.00" });
  await pass(2);
  await bid;
  await fanfare.auctions.bid("a", { amount: "1.00" });
  await fanfare.auctions.bid("a", { amount: "1.00", idempotencyKey: "mine" });
  const keys = server.requests.slice(1).map(({ headers }) => headers["Idempotency-Key"]);
  expect(keys[0]).toMatch(/^[0-9a-z]{32}$/);
  expect(keys[1]).toBe(keys[0]);
  expect(keys[2]).not.toBe(keys[0]);
  expect(keys[3]).toBe("mine");
});

it("what stands in ids stays in its place of the address", async () => {
  const server = new FakeServer();
  await failure(client(server).queues.get("../auctions/a?x=#y"));
  expect(server.asked).toEqual(["GET /queues/..%2Fauctions%2Fa%3Fx%3D%23y"]);
});

describe("a refusal", () => {
  it("is typed by its code and tells all that the server said", async () => {
    const more = { details: [{ field: "amount", message: "More." }], minimumNextBid: "5.00", status: "QUEUED" };
    const server = new FakeServer().on("POST /auctions/a/bid", refusal(400, "BID_TOO_LOW", more));
    const error = await failure(client(server).auctions.bid("a", { amount: "1.00" }));
    expect(isFanfareError(error, "BID_TOO_LOW")).toBe(true);
    expect(isFanfareError(error, "QUEUE_FULL")).toBe(false);
    expect(error).toMatchObject({
      status: 400,
      error: "BID_TOO_LOW",
      message: "BID_TOO_LOW.",
      requestId: "r1",
      details: [{ field: "amount", message: "More." }],
      extra: { minimumNextBid: "5.00", status: "QUEUED" },
    });
    expect(server.count("POST /auctions/a/bid")).toBe(1);
  });

  it.each([
    [400, "VALIDATION_FAILED"],
    [404, "QUEUE_NOT_FOUND"],
    [423, "QUEUE_NOT_OPEN"],
    [429, "QUEUE_FULL"],
    [500, "INTERNAL_ERROR"],
  ])("%i is not asked for twice", async (status, code) => {
    const server = new FakeServer().on("POST /queues/q/enter", refusal(status, code, { retryAfter: 2 }));
    const error = await failure(client(server).queues.enter("q"));
    expect(error).toMatchObject({ status, code, retryAfter: 2 });
    expect(server.count("POST /queues/q/enter")).toBe(1);
  });

  it("503 is waited for, as long as the server says", async () => {
    const busy = refusal(503, "SERVICE_UNAVAILABLE", { retryAfter: 4 });
    const server = new FakeServer().on("GET /queues/q", busy, { json: {} });
    await Promise.all([client(server).queues.get("q"), pass(5)]);
    expect(server.gaps("GET /queues/q")).toEqual([4.4]);
  });

  it.each([
    ["says nothing of when", {}],
    ["says a long time", { retryAfter: 300 }],
  ])("503 that %s is the caller's", async (_, more) => {
    const server = new FakeServer().on("GET /queues/q", refusal(503, "SERVICE_UNAVAILABLE", more));
    expect(await failure(client(server).queues.get("q"))).toBeInstanceOf(FanfareError);
    expect(server.count("GET /queues/q")).toBe(1);
  });
});

describe("an answer that is not the API's", () => {
  it.each([
    ["HTML", HTML],
    ["a page of a proxy", { ...HTML, status: 502 }],
    ["broken JSON", { text: "{" }],
    ["JSON of something else as a failure", { status: 418, json: { detail: "teapot" } }],
    ["no content type", { text: "{}", headers: { "Content-Type": "" } }],
  ])("is a typed error, asked for once: %s", async (_, answer) => {
    const server = new FakeServer().on("GET /queues/q", answer);
    const error = await failure(client(server).queues.get("q"));
    expect(error).toMatchObject({ name: "FanfareError", code: "INVALID_RESPONSE", status: answer.status ?? 200 });
    expect(server.count("GET /queues/q")).toBe(1);
  });
});

it("the base URL may end in a slash", async () => {
  const server = new FakeServer().on("GET /queues/q", { json: {} });
  await client(server, { baseUrl: `${BASE}/` }).queues.get("q");
  expect(server.asked).toEqual(["GET /queues/q"]);
});

it("network errors have the cause with them", async () => {
  const error = await failure(client(new FakeServer().on("GET /queues/q", away)).queues.get("q"));
  expect(error).toBeInstanceOf(NetworkError);
  expect((error as NetworkError).cause).toBeInstanceOf(TypeError);
});

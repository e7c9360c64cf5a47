import { describe, expect, it, vi } from "vitest";
import type { FanfareError } from "../src";
import { openBrowser } from "./browser";
import { type Answer, FakeServer, HTML, KEY, queued, refusal, tokens } from "./server";
import { client, failure, inFakeTime, pass } from "./setting";

inFakeTime();

const STATUS = "GET /queues/q/status";
const ENTER = "POST /queues/q/enter";

/** How often the status is asked for in a minute, and what the watcher hears last. */
async function watched(rule: Answer) {
  const server = new FakeServer().on(STATUS, rule);
  const fanfare = client(server);
  await Promise.all([fanfare.auth.guest(), pass(0.2)]);
  const heard: unknown[] = [];
  fanfare.queues.watch("q", ({ value, error }) => heard.push(error ?? value));
  await pass(60);
  return { count: server.count(STATUS), last: heard.at(-1) };
}

const advised = (pollAfterSeconds: unknown): Answer => queued(3, pollAfterSeconds as number);
const later = (retryAfter: unknown, headers = {}): Answer => ({ ...refusal(503, "SERVICE_UNAVAILABLE", { retryAfter }), headers });

describe("a server's nonsense makes no burst", () => {
  it.each([
    ["a negative advice", advised(-5), 61],
    ["no time at all", advised(0), 61],
    ["an advice that is no number", advised("soon"), 31],
    ["an advice without end", advised(1e300), 1],
    ["a negative pause", later(-1), 8],
    ["a pause that is no number", later("soon"), 8],
    ["a pause of a year", later(31_536_000), 1],
    ["a negative header", later(undefined, { "Retry-After": "-1" }), 8],
    ["a date in the header", later(undefined, { "Retry-After": "Tue, 01 Dec 2026 09:00:00 GMT" }), 8],
  ])("%s", async (_, rule, most) => {
    const { count } = await watched(rule);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(most);
  });

  it.each([["null"], ["[]"], ['"QUEUED"'], ["7"], ["{"]])("an answer that is %s: told, and asked again ever later", async (text) => {
    const { count, last } = await watched({ text });
    expect(last).toMatchObject({ code: "INVALID_RESPONSE", status: 200 });
    expect(count).toBeLessThanOrEqual(8);
  });

  it.each([404, 403])("a proxy's page, %d, passes, whatever it says of itself", async (status) => {
    const server = new FakeServer().on(STATUS, queued(3, 10), { ...HTML, status }, queued(2, 10));
    const fanfare = client(server);
    await fanfare.auth.guest();
    const heard: unknown[] = [];
    fanfare.queues.watch("q", ({ value, error }) => heard.push([value?.position, (error as FanfareError | null)?.code]));
    await pass(13);
    expect(heard).toEqual([[3, undefined], [3, "INVALID_RESPONSE"], [2, undefined]]);
  });

  it("a wrong address is asked ever later", async () => {
    const { count, last } = await watched({ ...HTML, status: 404 });
    expect(last).toMatchObject({ code: "INVALID_RESPONSE", status: 404 });
    expect(count).toBeLessThanOrEqual(5);
  });

  it("a redirection is not followed", async () => {
    const server = new FakeServer().on(ENTER, { status: 307, headers: { Location: "https://elsewhere.test/" } });
    const fetch = vi.fn(server.fetch);
    expect(await failure(client(server, { fetch }).queues.enter("q"))).toMatchObject({ code: "INVALID_RESPONSE" });
    expect(server.count(ENTER)).toBe(1);
    expect(fetch.mock.calls.map(([, { redirect }]) => redirect)).toEqual(["manual", "manual"]);
  });

  it.each([
    ["no session", { accessToken: "a" }],
    ["tokens that no header can carry", { ...tokens("cons_1"), accessToken: "\u20ac" }],
    ["tokens of other types", { ...tokens("cons_1"), refreshToken: {} }],
  ])("a guest's session with %s", async (_, json) => {
    const server = new FakeServer().on("POST /auth/guest", { json });
    const fanfare = client(server);
    expect(await failure(fanfare.queues.enter("q"))).toMatchObject({ code: "INVALID_RESPONSE" });
    expect(server.asked).toEqual(["POST /auth/guest"]);
    expect(fanfare.auth.session()).toBeNull();
  });
});

describe("an id that is none", () => {
  it.each([
    ["..", "-"],
    [".", "-"],
    ["", "-"],
    ["../../auth/logout", "..%2F..%2Fauth%2Flogout"],
    ["a?b#c", "a%3Fb%23c"],
    [undefined as unknown as string, "undefined"],
    ["\ud800", "%EF%BF%BD"],
    ["\u{1f45f}", "%F0%9F%91%9F"],
  ])("%j stays where ids are", async (id, segment) => {
    const server = new FakeServer();
    const fanfare = client(server);
    await fanfare.auth.guest();
    fanfare.queues.watch(id, () => undefined);
    fanfare.experiences.watch(id, () => undefined);
    await failure(fanfare.appointments.calendarFile("a", id));
    expect(server.asked.slice(1).sort()).toEqual([
      `GET /appointments/a/bookings/${segment}.ics`, `GET /experiences/${segment}`, `GET /queues/${segment}/status`,
    ]);
  });
});

describe("garbage in the storage", () => {
  it.each([
    ["not JSON", "{", "<>"],
    ["of another shape", '{"session": 7}', "fp_"],
    ["that no header can carry", '{"session": {"consumerId": "c"}, "accessToken": "\u20ac", "refreshToken": "r"}', "fp_\n"],
    ["of other types", '{"session": {"consumerId": "c"}, "accessToken": "a", "refreshToken": 7}', "7"],
    ["that would reach into prototypes", '{"__proto__": {"accessToken": "a", "refreshToken": "r", "isBad": true}}', "__proto__"],
  ])("%s is as good as nothing", async (_, session, fingerprint) => {
    const storage = openBrowser();
    storage.kept.set(`fanfare:${KEY}:session`, session);
    storage.kept.set(`fanfare:${KEY}:fingerprint`, fingerprint);
    storage.kept.set(`fanfare:${KEY}:lease`, "somebody for ever");
    const server = new FakeServer().on(ENTER, queued(1));
    const fanfare = client(server);
    const [status] = await Promise.all([fanfare.queues.enter("q"), pass(1)]);
    expect(status.position).toBe(1);
    expect(server.asked).toEqual(["POST /auth/guest", ENTER]);
    expect(await fanfare.fingerprint()).toMatch(/^fp_[a-z0-9]{24}$/);
    expect(({} as { isBad?: boolean }).isBad).toBeUndefined();
  });
});

describe("a storage", () => {
  it("that keeps nothing and says nothing is as good as none", async () => {
    const storage = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
    const server = new FakeServer().on(ENTER, queued(1));
    const fanfare = client(server, { storage });
    expect((await fanfare.queues.enter("q")).position).toBe(1);
    await fanfare.queues.enter("q");
    expect(server.asked).toEqual(["POST /auth/guest", ENTER, ENTER]);
    expect(await fanfare.fingerprint()).toBe(await fanfare.fingerprint());
  });
});

describe("who somebody is, watched in two tabs", () => {
  it("is asked once by each, and both hear of a sign-out", async () => {
    openBrowser();
    const server = new FakeServer().on("GET /consumers/me", { json: { id: "cons_1" } });
    server.on("POST /auth/logout", { status: 204 });
    const [first, second] = [client(server), client(server)];
    const heard: (string | null)[][] = [[], []];
    [first, second].forEach((tab, index) => tab.consumers.watch(({ value }) => heard[index]?.push(value?.id ?? null)));
    await pass(1);
    expect(server.asked).toEqual([]);
    await Promise.all([first.auth.guest(), pass(1)]);
    expect(heard).toEqual([[null, "cons_1"], [null, "cons_1"]]);
    await Promise.all([second.auth.logout(), pass(600)]);
    expect(heard.map((all) => all.at(-1))).toEqual([null, null]);
    expect(server.count("GET /consumers/me")).toBeLessThanOrEqual(2);
  });
});

import { describe, expect, it } from "vitest";
import { openBrowser } from "./browser";
import { type Answer, FakeServer, KEY, queued, refusal } from "./server";
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

  it("a guest's session that is none", async () => {
    const server = new FakeServer().on("POST /auth/guest", { json: { accessToken: "a" } });
    const fanfare = client(server);
    expect(await failure(fanfare.queues.enter("q"))).toMatchObject({ code: "INVALID_RESPONSE" });
    expect(server.asked).toEqual(["POST /auth/guest"]);
    expect(fanfare.auth.session()).toBeNull();
  });
});

describe("garbage in the storage", () => {
  it.each([
    ["not JSON", "{", "<>"],
    ["of another shape", '{"session": 7}', "fp_"],
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

import { describe, expect, it } from "vitest";
import { Fanfare } from "../src";
import { FakeChannel, openBrowser, setHidden } from "./browser";
import { ADMITTED, away, type Answer, FakeServer, type Asked, LEFT, queued, refusal } from "./server";
import { client, inFakeTime, pass } from "./setting";

inFakeTime();

const STATUS = "GET /queues/q/status";

/** Several tabs, opened one after the other within a second, each watching the queue, and what each hears. */
async function tabs(server: FakeServer, number: number) {
  await Promise.all([client(server).auth.guest(), pass(0.1)]);
  const opened = [];
  for (let count = 0; count < number; count++) {
    opened.push(watching(client(server)));
    await pass(0.2);
  }
  return opened;
}

/** Whose token it is. */
function subject(authorization = ""): unknown {
  const [, claims = ""] = authorization.split(".");
  return (JSON.parse(Buffer.from(claims, "base64url").toString()) as { sub?: unknown }).sub;
}

function watching(fanfare: Fanfare) {
  const heard: (string | null)[] = [];
  const stop = fanfare.queues.watch("q", ({ value }) => heard.push(value?.status ?? null));
  return { fanfare, heard, stop };
}

describe("several tabs", () => {
  it("look once each, and then one of them for all", async () => {
    openBrowser();
    const server = new FakeServer().on(STATUS, queued(3, 10));
    const opened = await tabs(server, 3);
    await pass(1);
    expect(server.count(STATUS)).toBe(3);
    await pass(60);
    expect(server.count(STATUS)).toBe(3 + 6);
    for (const { heard } of opened) expect(heard.length).toBeGreaterThanOrEqual(7);
  });

  it("all hear the end, and none asks any more", async () => {
    openBrowser();
    const server = new FakeServer().on(STATUS, queued(3), queued(3), LEFT);
    const opened = await tabs(server, 2);
    await pass(600);
    expect(opened.map(({ heard }) => heard.at(-1))).toEqual(["LEFT", "LEFT"]);
    expect(server.count(STATUS)).toBe(3);
  });

  it("believe what one has just done, and not what another one's look says afterwards", async () => {
    openBrowser();
    const outside = refusal(404, "CONSUMER_NOT_IN_QUEUE");
    const slowly = () => new Promise<Answer>((resolve) => setTimeout(() => resolve(outside), 2000));
    const server = new FakeServer().on(STATUS, outside, slowly, queued(2, 10)).on("POST /queues/q/enter", queued(3, 10));
    const [first] = await tabs(server, 1);
    const second = watching(client(server)); // opened while the first is about to enter
    await pass(0.5);
    await Promise.all([first!.fanfare.queues.enter("q"), pass(5)]);
    expect([first!.heard.at(-1), second.heard.at(-1)]).toEqual(["QUEUED", "QUEUED"]);
    await pass(10);
    expect(server.count(STATUS)).toBe(3);
  });

  it("of another key ask for themselves", async () => {
    openBrowser();
    const server = new FakeServer().on("GET /auctions/a", { json: { currentBid: "1.00", pollAfterSeconds: 10 } });
    const heard = ["pk_test_1", "pk_test_2"].map((publishableKey) => {
      const told: unknown[] = [];
      client(server, { publishableKey }).auctions.watchAuction("a", ({ value }) => told.push(value));
      return told;
    });
    await pass(60);
    for (const told of heard) expect(told.length).toBeGreaterThanOrEqual(6);
  });

  it("go on when the one that asked is closed", async () => {
    openBrowser();
    const server = new FakeServer().on(STATUS, queued(3, 10));
    const [first, second] = await tabs(server, 2);
    await pass(1);
    first!.stop();
    await pass(20);
    expect(server.count(STATUS)).toBe(2 + 2);
    second!.stop();
    await pass(60);
    expect(server.count(STATUS)).toBe(4);
    expect(FakeChannel.open.size).toBe(0);
  });

  it("hear what is done in one of them", async () => {
    openBrowser();
    const server = new FakeServer()
      .on(STATUS, refusal(404, "CONSUMER_NOT_IN_QUEUE"))
      .on("POST /queues/q/enter", queued(1))
      .on("POST /queues/q/leave", LEFT);
    const [first, second] = await tabs(server, 2);
    await pass(1);
    await first!.fanfare.queues.enter("q");
    await pass(0.1);
    expect(second!.heard).toEqual([null, "QUEUED"]); // that the other one found nothing either is no news
    await second!.fanfare.queues.leave("q");
    await pass(0.1);
    expect(first!.heard).toEqual([null, "QUEUED", "LEFT"]);
    await pass(600);
    expect(server.count(STATUS)).toBe(2);
  });

  it("ask nothing while hidden, and one of them asks when they are back", async () => {
    openBrowser();
    const server = new FakeServer().on(STATUS, queued(3, 10));
    await tabs(server, 2);
    await pass(1);
    setHidden(true);
    await pass(3600);
    expect(server.count(STATUS)).toBe(2);
    setHidden(false);
    await pass(0.1);
    expect(server.count(STATUS)).toBe(3);
    await pass(10);
    expect(server.count(STATUS)).toBe(4);
  });

  it("share an outage without sharing a burst", async () => {
    openBrowser();
    const server = new FakeServer().on(STATUS, away);
    await tabs(server, 3);
    await pass(370);
    expect(server.count(STATUS)).toBeLessThanOrEqual(3 + 9);
  });

  it("each ask where the browser has no locks and no channels", async () => {
    openBrowser({ locks: false, channels: false });
    const server = new FakeServer().on(STATUS, queued(3, 10));
    await tabs(server, 2);
    await pass(10);
    expect(server.count(STATUS)).toBe(4);
  });

  it("ask where locks are denied", async () => {
    openBrowser();
    const denied = { request: () => Promise.reject(new DOMException("denied", "SecurityError")) };
    Object.assign(navigator, { locks: denied });
    const server = new FakeServer().on(STATUS, queued(3, 10));
    await tabs(server, 1);
    await pass(10);
    expect(server.count(STATUS)).toBe(2);
  });

  it("with consumers of their own tell each other nothing", async () => {
    openBrowser().isBlocked = true; // each has its session in memory
    const isFirst = ({ headers }: Asked) => subject(headers.Authorization) === "cons_1";
    const server = new FakeServer().on(STATUS, (asked) => (isFirst(asked) ? ADMITTED : queued(3)));
    const [one, other] = [client(server), client(server)];
    await one.auth.guest();
    await other.auth.guest();
    const opened = [watching(one), watching(other)];
    await pass(60);
    expect(new Set(opened[0]?.heard)).toEqual(new Set(["ADMITTED"]));
    expect(new Set(opened[1]?.heard)).toEqual(new Set(["QUEUED"]));
  });
});

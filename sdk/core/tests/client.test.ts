import { afterEach, describe, expect, it, vi } from "vitest";
import { Fanfare, isFanfareError } from "../src";
import { openBrowser } from "./browser";
import { BASE, FakeServer, KEY, queued } from "./server";
import { client, inFakeTime } from "./setting";

inFakeTime();
afterEach(() => vi.resetModules());

const ENTER = "POST /queues/q/enter";

describe("importing and making a client", () => {
  it("touches no global, so that a server can render with it", async () => {
    const touched: string[] = [];
    for (const name of ["fetch", "document", "navigator", "addEventListener", "setTimeout"]) {
      vi.stubGlobal(name, new Proxy(() => undefined, { get: () => touched.push(name), apply: () => touched.push(name) }));
    }
    vi.resetModules();
    const { Fanfare: Fresh } = await import("../src");
    new Fresh({ publishableKey: KEY });
    expect(touched).toEqual([]);
  });

  it.each(["sk_live_1", "sk_test_1"])("refuses the secret key %s without repeating it", (publishableKey) => {
    expect(() => new Fanfare({ publishableKey })).toThrow(/secret key/);
    expect(() => new Fanfare({ publishableKey })).not.toThrow(publishableKey);
  });

  it.each(["", "live_1", "pk_live_1\r\nX: y"])("refuses %j, which is no key", (publishableKey) => {
    expect(() => new Fanfare({ publishableKey })).toThrow(TypeError);
  });

  it("asks the address of the documentation unless told otherwise", async () => {
    const server = new FakeServer();
    const asked: string[] = [];
    const fanfare = new Fanfare({
      publishableKey: KEY,
      fetch: (address, init) => {
        asked.push(address);
        return server.fetch(`${BASE}/x`, init);
      },
    });
    await fanfare.queues.get("q").catch((error: unknown) => expect(isFanfareError(error)).toBe(true));
    expect(asked).toEqual(["https://consumer.fanfare.io/api/v1/queues/q"]);
  });

  it("uses the global fetch of the moment, unbound as browsers want it", async () => {
    const server = new FakeServer().on("GET /queues/q", queued(1));
    vi.stubGlobal("fetch", function (this: unknown, ...given: Parameters<typeof server.fetch>) {
      expect(this).toBeUndefined();
      return server.fetch(...given);
    });
    await new Fanfare({ publishableKey: KEY, baseUrl: BASE }).queues.get("q");
    expect(server.asked).toEqual(["GET /queues/q"]);
  });
});

describe("the fingerprint", () => {
  const sent = (server: FakeServer) => server.requests.map(({ headers }) => headers["X-Fingerprint"]).filter(Boolean);

  it("is random, of the contract's form, and kept over reloads", async () => {
    vi.mocked(Math.random).mockRestore();
    openBrowser();
    const server = new FakeServer().on(ENTER, queued(1));
    await client(server).queues.enter("q");
    await client(server).queues.enter("q");
    const [first, second] = sent(server);
    expect(first).toMatch(/^fp_[0-9a-z]{24}$/);
    expect(second).toBe(first);
    expect(await client(server).fingerprint()).toBe(first);
    openBrowser();
    expect(await client(server).fingerprint()).not.toBe(first);
  });

  it("may be the shop's own, or found out, once", async () => {
    const server = new FakeServer().on(ENTER, queued(1));
    await client(server, { fingerprint: "fp_0123456789" }).queues.enter("q");
    const find = vi.fn(() => Promise.resolve("fp_abcdefghij"));
    const finding = client(server, { fingerprint: find });
    await Promise.all([finding.queues.enter("q"), finding.queues.enter("q")]);
    expect(sent(server)).toEqual(["fp_0123456789", "fp_abcdefghij", "fp_abcdefghij"]);
    expect(find).toHaveBeenCalledTimes(1);
  });

  it("that could not be found out is tried again", async () => {
    const find = vi.fn<() => Promise<string>>();
    find.mockRejectedValueOnce(new Error("not yet")).mockResolvedValue("fp_abcdefghij");
    const server = new FakeServer().on(ENTER, queued(1));
    const fanfare = client(server, { fingerprint: find });
    await expect(fanfare.queues.enter("q")).rejects.toThrow("not yet");
    expect(server.count(ENTER)).toBe(0);
    await fanfare.queues.enter("q");
    expect(sent(server)).toEqual(["fp_abcdefghij"]);
  });

  it.each(["fp_short", "0123456789abc", "fp_0123456789\r\nX: y"])("is never %j", async (fingerprint) => {
    await expect(client(new FakeServer(), { fingerprint }).queues.enter("q")).rejects.toThrow(TypeError);
  });
});

import { describe, expect, it, vi } from "vitest";
import { FanfareError, NetworkError } from "../src";
import { openBrowser } from "./browser";
import { away, FakeServer, HTML, KEY, queued, refusal, silent, tokens, UNAUTHENTICATED } from "./server";
import { client, failure, inFakeTime, pass } from "./setting";

inFakeTime();

const STATUS = "GET /queues/q/status";
const GUEST = "POST /auth/guest";
const REFRESH = "POST /auth/refresh";
const SPENT = refusal(401, "INVALID_REFRESH_TOKEN");

/** A guest's tokens after a while. */
async function slowly() {
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { json: tokens("cons_1") };
}

function serving(): FakeServer {
  return new FakeServer().on(STATUS, queued(3)).on("POST /queues/q/enter", queued(3));
}

describe("opening", () => {
  it("asks nothing before something is needed", async () => {
    const server = serving();
    const fanfare = client(server);
    await pass(60);
    expect(fanfare.auth.session()).toBeNull();
    await server.fetch("https://api.test/api/v1/control", { method: "GET" });
    expect(server.asked).toEqual(["GET /control"]);
  });

  it("is done once, however many callers need it", async () => {
    const server = serving();
    const fanfare = client(server);
    await Promise.all([1, 2, 3, 4].map(() => fanfare.queues.status("q")));
    expect(server.count(GUEST)).toBe(1);
    expect(server.count(STATUS)).toBe(4);
  });

  it("is tried anew by the next caller after it failed", async () => {
    const server = serving().on(GUEST, away, { json: tokens("cons_1") });
    const fanfare = client(server);
    expect(await failure(fanfare.queues.status("q"))).toBeInstanceOf(NetworkError);
    expect(server.count(GUEST)).toBe(1);
    await fanfare.queues.status("q");
    expect(server.asked).toEqual([GUEST, GUEST, STATUS]);
  });

  it("is kept over reloads", async () => {
    openBrowser();
    const server = serving();
    await client(server).queues.status("q");
    const reloaded = client(server);
    expect(reloaded.auth.session()?.consumerId).toBe("cons_1");
    await reloaded.queues.status("q");
    expect(server.count(GUEST)).toBe(1);
  });

  it("is another one under another key", async () => {
    openBrowser();
    const server = serving();
    await client(server).auth.guest();
    expect(client(server, { publishableKey: "pk_test_2" }).auth.session()).toBeNull();
  });

  it("is done once by two tabs at the same moment", async () => {
    openBrowser();
    const server = serving();
    await Promise.all([client(server).auth.guest(), client(server).auth.guest()]);
    expect(server.count(GUEST)).toBe(1);
  });

  it("is done once by two tabs also without Web Locks", async () => {
    openBrowser({ locks: false });
    const server = serving().on(GUEST, slowly);
    await Promise.all([client(server).auth.guest(), client(server).auth.guest(), pass(1)]);
    expect(server.count(GUEST)).toBe(1);
  });

  it("is done once even where both saw that nobody else was at it", async () => {
    const storage = openBrowser({ locks: false });
    const server = serving().on(GUEST, slowly);
    const both = [client(server), client(server)];
    const read = storage.getItem.bind(storage);
    let stale = 2;
    storage.getItem = (key) => (key.endsWith(":lease") && stale-- > 0 ? null : read(key));
    await Promise.all([...both.map(({ auth }) => auth.guest()), pass(1)]);
    expect(server.count(GUEST)).toBe(1);
  });

  it("waits no longer than a lease for a tab that died", async () => {
    const storage = openBrowser({ locks: false });
    storage.setItem(`fanfare:${KEY}:lease`, `gone ${Date.now() + 20_000}`);
    const server = serving();
    const opened = client(server).auth.guest();
    await pass(19);
    expect(server.count(GUEST)).toBe(0);
    await pass(2);
    await opened;
    expect(server.count(GUEST)).toBe(1);
  });
});

it("a lease that the clock made endless holds nobody up", async () => {
  const storage = openBrowser({ locks: false });
  storage.setItem(`fanfare:${KEY}:lease`, `gone ${Date.now() + 86_400_000}`);
  const server = serving();
  await Promise.all([client(server).auth.guest(), pass(1)]);
  expect(server.count(GUEST)).toBe(1);
});

describe("renewal", () => {
  it("comes before the token expires, and once", async () => {
    const server = serving();
    const fanfare = client(server);
    await fanfare.queues.status("q");
    await pass(0.7 * 3600);
    await fanfare.queues.status("q");
    expect(server.count(REFRESH)).toBe(0);
    await pass(0.25 * 3600);
    await Promise.all([fanfare.queues.status("q"), fanfare.queues.status("q")]);
    expect(server.count(REFRESH)).toBe(1);
    expect(server.count(GUEST)).toBe(1);
  });

  it("is done once over tabs", async () => {
    openBrowser();
    const server = serving();
    const [one, other] = [client(server), client(server)];
    await one.queues.status("q");
    await pass(0.95 * 3600);
    await Promise.all([one.queues.status("q"), other.queues.status("q")]);
    expect(server.count(REFRESH)).toBe(1);
  });

  it.each([-3600, 3600])("is right where the device's clock is off by %i s", async (skewSeconds) => {
    const server = serving().on(GUEST, () => ({ json: tokens("cons_1", { skewSeconds }) }));
    const fanfare = client(server);
    await fanfare.queues.status("q");
    await pass(0.7 * 3600);
    await fanfare.queues.status("q");
    expect(server.count(REFRESH)).toBe(0);
    await pass(0.25 * 3600);
    await fanfare.queues.status("q");
    expect(server.count(REFRESH)).toBe(1);
  });

  it("comes at once where the clock was set back: nobody knows how old the token is", async () => {
    const server = serving();
    const fanfare = client(server);
    await fanfare.queues.status("q");
    vi.setSystemTime(Date.now() - 3_600_000);
    await fanfare.queues.status("q");
    await fanfare.queues.status("q");
    expect(server.count(REFRESH)).toBe(1);
  });

  it("follows a refusal where the token does not tell its life", async () => {
    const opaque = { ...tokens("cons_1"), accessToken: "opaque" };
    const server = serving().on(GUEST, { json: opaque }).on(STATUS, refusal(401, "TOKEN_EXPIRED"), queued(1));
    await client(server).queues.status("q");
    expect(server.asked).toEqual([GUEST, STATUS, REFRESH, STATUS]);
  });

  it("keeps the session when the server is away", async () => {
    const server = serving().on(REFRESH, away, away, { json: tokens("cons_1", { generation: 2 }) });
    const fanfare = client(server);
    await fanfare.queues.status("q");
    await pass(0.95 * 3600);
    expect(await failure(fanfare.auth.refresh())).toMatchObject({ code: "UNREACHABLE" });
    expect(fanfare.auth.session()?.consumerId).toBe("cons_1");
    expect(server.count(REFRESH)).toBe(1);
  });

  it.each([
    ["away", away],
    ["busy", refusal(503, "SERVICE_UNAVAILABLE")],
    ["a web page", HTML],
  ])("that fails while the token is good harms nobody: %s", async (_, answer) => {
    const server = serving().on(REFRESH, answer);
    const fanfare = client(server);
    await fanfare.queues.status("q");
    await pass(0.95 * 3600);
    expect(await fanfare.queues.status("q")).toMatchObject({ status: "QUEUED" });
    expect(server.asked.slice(2)).toEqual([REFRESH, STATUS]);
    server.on(STATUS, refusal(401, "TOKEN_EXPIRED"));
    expect(await failure(fanfare.queues.status("q"))).toBeInstanceOf(Error);
    expect(server.asked.slice(4)).toEqual([REFRESH, STATUS, REFRESH]);
    expect(fanfare.auth.session()?.consumerId).toBe("cons_1");
  });

  it("never changes who it is: a server that names another one each time is asked ever later", async () => {
    let number = 1;
    const server = serving().on(STATUS, refusal(401, "TOKEN_EXPIRED"));
    server.on(REFRESH, () => ({ json: tokens(`cons_${++number}`) }));
    const fanfare = client(server);
    await fanfare.auth.guest();
    const heard: unknown[] = [];
    fanfare.queues.watch("q", ({ error }) => heard.push(error));
    await pass(60);
    expect(heard.at(-1)).toMatchObject({ code: "INVALID_RESPONSE" });
    expect(server.count(REFRESH)).toBeLessThanOrEqual(6);
    expect(fanfare.auth.session()?.consumerId).toBe("cons_1");
  });

  it("gives way to a sign-in that was faster", async () => {
    let answer: (given: object) => void = () => undefined;
    const late = new Promise<object>((resolve) => (answer = resolve));
    const signedIn = { json: tokens("cons_9", { type: "authenticated" }) };
    const server = serving()
      .on(REFRESH, () => late)
      .on("POST /auth/otp/verify", signedIn);
    const fanfare = client(server);
    await fanfare.auth.guest();
    const renewing = fanfare.auth.refresh();
    await pass(1);
    await fanfare.auth.verifyOtp({ email: "a@example.com", code: "123456" });
    answer({ json: tokens("cons_1", { generation: 5 }) });
    await renewing;
    expect(fanfare.auth.session()?.consumerId).toBe("cons_9");
  });
});

describe("a session that has ended", () => {
  it("is dropped, and a new guest opened at the next need, with a known number of requests", async () => {
    const server = serving().on(REFRESH, SPENT).on("POST /queues/q/enter", UNAUTHENTICATED, queued(1));
    const fanfare = client(server);
    await fanfare.auth.guest();
    expect(await fanfare.queues.enter("q")).toMatchObject({ status: "QUEUED" });
    expect(server.asked).toEqual([GUEST, "POST /queues/q/enter", REFRESH, GUEST, "POST /queues/q/enter"]);
    expect(fanfare.auth.session()?.consumerId).toBe("cons_2");
  });

  it("is no loop where the server refuses everything", async () => {
    const server = serving().on(REFRESH, SPENT).on(STATUS, UNAUTHENTICATED);
    const fanfare = client(server);
    expect(await failure(fanfare.queues.status("q"))).toMatchObject({ status: 401 });
    expect(server.asked).toEqual([GUEST, STATUS, REFRESH, GUEST, STATUS]);
  });

  it("is no loop where tokens are renewed and still refused", async () => {
    const server = serving().on(STATUS, UNAUTHENTICATED);
    expect(await failure(client(server).queues.status("q"))).toMatchObject({ status: 401 });
    expect(server.asked).toEqual([GUEST, STATUS, REFRESH, STATUS]);
  });

  it("is told to listeners, as is every other consumer", async () => {
    const server = serving().on(REFRESH, SPENT);
    const fanfare = client(server);
    const heard: (string | undefined)[] = [];
    const stop = fanfare.auth.onChange((session) => heard.push(session?.consumerId));
    await fanfare.auth.guest();
    expect(await fanfare.auth.refresh()).toBeNull();
    stop();
    await fanfare.auth.guest();
    expect(heard).toEqual(["cons_1", undefined]);
  });

  it("is told once for each change, whatever else is stored", async () => {
    const storage = openBrowser();
    const server = serving();
    const fanfare = client(server);
    const heard: unknown[] = [];
    fanfare.auth.onChange((session) => heard.push(session?.consumerId));
    await fanfare.auth.guest();
    storage.setItem("theirs", "1");
    await fanfare.fingerprint();
    expect(heard).toEqual(["cons_1"]);
  });

  it("is told to other tabs", async () => {
    openBrowser();
    const server = serving().on("POST /auth/logout", { status: 204 });
    const [one, other] = [client(server), client(server)];
    await one.auth.guest();
    const heard: unknown[] = [];
    other.auth.onChange((session) => heard.push(session));
    await one.auth.logout();
    expect(heard).toEqual([null]);
    expect(other.auth.session()).toBeNull();
  });
});

describe("a wrong key", () => {
  it("ends in a typed error after one request", async () => {
    const server = serving().on(GUEST, UNAUTHENTICATED);
    const error = await failure(client(server).queues.enter("q"));
    expect(error).toBeInstanceOf(FanfareError);
    expect(error).toMatchObject({ status: 401, code: "AUTHENTICATION_REQUIRED" });
    expect(server.asked).toEqual([GUEST]);
  });

  it("that was revoked keeps the session, and asks for nothing more", async () => {
    const server = serving().on(STATUS, UNAUTHENTICATED).on(REFRESH, UNAUTHENTICATED);
    const fanfare = client(server);
    expect(await failure(fanfare.queues.status("q"))).toMatchObject({ code: "AUTHENTICATION_REQUIRED" });
    expect(server.asked).toEqual([GUEST, STATUS, REFRESH]);
    expect(fanfare.auth.session()).not.toBeNull();
  });
});

it("a server that never answers is given up on after a quarter of a minute", async () => {
  const server = serving().on(GUEST, silent);
  const began = Date.now();
  let code: unknown;
  void client(server)
    .auth.guest()
    .catch((error: unknown) => (code = (error as NetworkError).code));
  await pass(14);
  expect(code).toBeUndefined();
  await pass(2);
  expect(code).toBe("TIMEOUT");
  expect(Date.now() - began).toBe(16_000);
  expect(server.count(GUEST)).toBe(1);
});

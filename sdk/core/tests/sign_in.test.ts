import { describe, expect, it } from "vitest";
import { SafeStorage } from "../src/storage";
import { FakeStorage, openBrowser } from "./browser";
import { away, FakeServer, KEY, queued, refusal, tokens, UNAUTHENTICATED } from "./server";
import { client, failure, inFakeTime } from "./setting";

inFakeTime();

const STATUS = "GET /queues/q/status";
const GUEST = "POST /auth/guest";
const REFRESH = "POST /auth/refresh";
const SPENT = refusal(401, "INVALID_REFRESH_TOKEN");

function serving(): FakeServer {
  return new FakeServer().on(STATUS, queued(3));
}

describe("signing in", () => {
  const VERIFY = "POST /auth/otp/verify";
  const signedIn = { json: tokens("cons_9", { type: "authenticated" }) };

  it("takes the guest along", async () => {
    const server = serving().on(VERIFY, signedIn);
    const fanfare = client(server);
    await fanfare.auth.guest();
    await fanfare.auth.verifyOtp({ phone: "0301234", defaultCountry: "DE", code: "123456" });
    const [, verify] = server.requests;
    expect(verify?.headers.Authorization).toMatch(/^Bearer head\./);
    expect(verify?.body).toEqual({ phone: "0301234", defaultCountry: "DE", code: "123456" });
    expect(fanfare.auth.session()).toMatchObject({ type: "authenticated", consumerId: "cons_9" });
  });

  it("needs no guest", async () => {
    const server = serving().on("POST /auth/external/exchange", signedIn);
    await client(server).auth.exchange("exc_1");
    expect(server.asked).toEqual(["POST /auth/external/exchange"]);
    expect(server.requests[0]?.headers.Authorization).toBeUndefined();
    expect(server.requests[0]?.body).toEqual({ exchangeCode: "exc_1" });
  });

  it("goes on without a guest whose session has ended", async () => {
    const server = serving().on(REFRESH, SPENT).on(VERIFY, UNAUTHENTICATED, signedIn);
    const fanfare = client(server);
    await fanfare.auth.guest();
    await fanfare.auth.verifyOtp({ email: "a@example.com", code: "123456" });
    expect(server.asked).toEqual([GUEST, VERIFY, REFRESH, VERIFY]);
  });

  it("tries a wrong code once", async () => {
    const server = serving().on(VERIFY, refusal(401, "OTP_INVALID"));
    const fanfare = client(server);
    await fanfare.auth.guest();
    const error = await failure(fanfare.auth.verifyOtp({ email: "a@example.com", code: "000000" }));
    expect(error).toMatchObject({ code: "OTP_INVALID" });
    expect(server.asked).toEqual([GUEST, VERIFY]);
    expect(fanfare.auth.session()?.consumerId).toBe("cons_1");
  });
});

describe("logging out", () => {
  it("forgets the session even where the server can't be told", async () => {
    const server = serving().on("POST /auth/logout", away);
    const fanfare = client(server);
    await fanfare.auth.guest();
    expect(await failure(fanfare.auth.logout())).toMatchObject({ code: "UNREACHABLE" });
    expect(fanfare.auth.session()).toBeNull();
  });

  it("of a session that has ended is done", async () => {
    const server = serving().on("POST /auth/logout", UNAUTHENTICATED).on(REFRESH, SPENT);
    const fanfare = client(server);
    await fanfare.auth.guest();
    await fanfare.auth.logout();
    expect(server.asked).toEqual([GUEST, "POST /auth/logout", REFRESH]);
    expect(fanfare.auth.session()).toBeNull();
  });

  it("asks nothing without a session", async () => {
    const server = serving();
    await client(server).auth.logout();
    expect(server.asked).toEqual([]);
  });
});

describe("storage", () => {
  it("that is blocked leaves the session in memory", async () => {
    openBrowser().isBlocked = true;
    const server = serving();
    const fanfare = client(server);
    await fanfare.queues.status("q");
    await fanfare.queues.status("q");
    expect(server.count(GUEST)).toBe(1);
  });

  it("that is blocked from now on does so too", async () => {
    const storage = openBrowser();
    const server = serving();
    const fanfare = client(server);
    storage.isBlocked = true;
    await fanfare.queues.status("q");
    await fanfare.queues.status("q");
    expect(server.count(GUEST)).toBe(1);
  });

  it("that works again is what counts", async () => {
    const storage = openBrowser();
    const server = serving().on("POST /auth/logout", { status: 204 });
    const fanfare = client(server);
    storage.isBlocked = true;
    await fanfare.auth.guest();
    storage.isBlocked = false;
    await fanfare.auth.refresh();
    await client(server).auth.logout();
    expect(fanfare.auth.session()).toBeNull();
  });

  it("is known to be shared or not", () => {
    const storage = openBrowser();
    expect(new SafeStorage("a").isShared).toBe(true);
    expect(new SafeStorage("a", new FakeStorage()).isShared).toBe(false);
    expect([...storage.kept.keys()]).toEqual([]);
    storage.isBlocked = true;
    expect(new SafeStorage("a").isShared).toBe(false);
  });

  it.each(["not JSON", "{}", "null", '{"session": 1}'])("that holds %s holds no session", async (text) => {
    openBrowser().setItem(`fanfare:${KEY}:session`, text);
    const server = serving();
    const fanfare = client(server);
    expect(fanfare.auth.session()).toBeNull();
    await fanfare.auth.guest();
    expect(server.count(GUEST)).toBe(1);
  });

  it("gives the same session object until it changes", async () => {
    const server = serving();
    const fanfare = client(server);
    await fanfare.auth.guest();
    const before = fanfare.auth.session();
    expect(fanfare.auth.session()).toBe(before);
    await fanfare.auth.refresh();
    expect(fanfare.auth.session()).not.toBe(before);
  });
});

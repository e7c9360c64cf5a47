import { afterEach, describe, expect, it, vi } from "vitest";
import { ServerClock } from "../src/clock";

const SERVER = Date.parse("2026-12-01T09:00:00Z");

describe("the server's clock", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("is the page's, however wrong the device's is", () => {
    let device = 0;
    const clock = new ServerClock(SERVER, 0, 200, () => device);
    expect(Math.abs(clock.now() - (SERVER - 100))).toBeLessThanOrEqual(100);
    device = 10_000;
    expect(Math.abs(clock.now() - (SERVER + 9_900))).toBeLessThanOrEqual(100);
  });

  it("comes nearer with each answer", () => {
    const clock = new ServerClock(SERVER, 0, 3_000, () => 0);
    clock.hear(SERVER, 900, 1_000); // so it was between 9:00:00 and 9:00:01 at 0.9 s to 1 s
    const spread = Math.abs(clock.now() - SERVER + 500);
    expect(spread).toBeLessThan(700);
  });

  it("follows when a clock was set", () => {
    let device = 0;
    const clock = new ServerClock(SERVER, 0, 100, () => device);
    device = -3_600_000; // an hour back
    clock.hear(SERVER + 5_000, device - 50, device);
    expect(Math.abs(clock.now() - SERVER - 5_500)).toBeLessThan(600);
  });

  it("reads the date of each answer, and does without", async () => {
    const clock = new ServerClock(SERVER, 0, 100, () => 60_000);
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("{}", { headers: { Date: new Date(SERVER).toUTCString() } })));
    await clock.fetch("/x", {});
    const heard = clock.now();
    expect(Math.abs(heard - SERVER - 500)).toBeLessThan(600);
    vi.stubGlobal("fetch", () => Promise.resolve(new Response("{}")));
    await clock.fetch("/x", {});
    expect(clock.now()).toBe(heard);
  });
});

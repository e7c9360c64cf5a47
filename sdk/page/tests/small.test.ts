import { FanfareError, NetworkError } from "@fanfare/sdk-core";
import { describe, expect, it } from "vitest";
import { Announcer } from "../src/announcer";
import { pause } from "../src/attempts";
import { wayOn } from "../src/handover";

describe("the way on", () => {
  it("has token and fingerprint in the query, before the fragment", () => {
    const way = wayOn("https://shop.example/cart?a=1#top", "t.o.k", "fp_0123456789");
    expect(way).toBe("https://shop.example/cart?a=1&fanfareToken=t.o.k&fanfareFingerprint=fp_0123456789#top");
  });

  it("is not there before all of it is", () => {
    expect(wayOn(null, "t", "fp_0123456789")).toBeNull();
    expect(wayOn("https://shop.example/", undefined, "fp_0123456789")).toBeNull();
    expect(wayOn("https://shop.example/", "t", null)).toBeNull();
  });
});

describe("patience", () => {
  const refusal = (status: number, code: string, retryAfter?: number) => new FanfareError(status, { code }, retryAfter);

  it("waits as long as the server says, and longer", () => {
    expect(pause(refusal(429, "RATE_LIMIT_EXCEEDED", 40), 1, 0)).toBe(40);
    expect(pause(refusal(429, "RATE_LIMIT_EXCEEDED", 40), 1, 1)).toBeCloseTo(52);
  });

  it("grows with each failure, up to a minute", () => {
    const pauses = [1, 2, 3, 9].map((failures) => pause(new NetworkError("UNREACHABLE"), failures, 0));
    expect(pauses).toEqual([2, 4, 8, 60]);
  });

  it("has none with what waiting does not change", () => {
    expect(pause(refusal(429, "QUEUE_FULL", 15), 1)).toBeNull();
    expect(pause(refusal(403, "SIGN_IN_REQUIRED"), 1)).toBeNull();
    expect(pause(new TypeError(), 1)).toBeNull();
  });
});

describe("announcements", () => {
  function region() {
    let now = 0;
    const said: string[] = [];
    const element = { set textContent(text: string) { said.push(text); } } as unknown as HTMLElement; // prettier-ignore
    return { announcer: new Announcer(element, () => now), said, pass: (seconds: number) => (now += seconds * 1000) };
  }

  it("tell the place once in half a minute", () => {
    const { announcer, said, pass } = region();
    for (let place = 60; place > 0; place--) {
      announcer.mention(`place ${place}`);
      pass(1);
    }
    expect(said).toEqual(["place 60", "place 30"]);
  });

  it("tell what matters at once, and once", () => {
    const { announcer, said } = region();
    announcer.mention("place 2");
    announcer.say("your turn");
    announcer.say("your turn");
    announcer.say("");
    expect(said).toEqual(["place 2", "your turn"]);
  });
});

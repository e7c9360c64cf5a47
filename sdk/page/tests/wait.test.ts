import { describe, expect, it } from "vitest";
import { tell, type Kept } from "../src/wait";

const START = 1_000_000;

/** What is shown of estimates (seconds, rate) that come a minute apart. */
function shown(...estimates: [estimate: number, rate: number][]) {
  let kept: Kept | null = null;
  return estimates.map(([estimate, rate], minute) => {
    const [range, next] = tell(estimate, rate, START + minute * 60_000, kept);
    kept = next;
    return range;
  });
}

describe("the wait", () => {
  it("is a range around the estimate", () => {
    expect(shown([600, 60])).toEqual([{ low: 540, high: 750, why: null }]);
  });

  it("ends earlier as soon as that is to be expected", () => {
    const [, second] = shown([600, 60], [300, 60]);
    expect(second).toEqual({ low: 270, high: 375, why: null });
  });

  it("holds to its end while that may still be true", () => {
    const [first, second] = shown([600, 60], [600, 60]);
    expect(second?.high).toBe((first?.high ?? 0) - 60);
    expect(second?.why).toBeNull();
  });

  it("never ends later without saying why", () => {
    const ranges = shown([600, 60], [700, 60], [700, 60], [1200, 60], [900, 60], [2000, 60], [2000, 30]);
    for (const [index, range] of ranges.entries()) {
      const before = ranges[index - 1];
      if (before && range.high > before.high - 60) expect(range.why).not.toBeNull();
    }
    expect(ranges.some(({ why }) => why !== null)).toBe(true);
  });

  it("knows a slower rate from a slower line", () => {
    expect(shown([600, 60], [1200, 30])[1]?.why).toBe("slower-rate");
    expect(shown([600, 60], [1200, 60])[1]?.why).toBe("slower-line");
  });

  it("takes the reason away after two minutes", () => {
    const whys = shown([600, 60], [1200, 60], [1100, 60], [1000, 60], [900, 60]).map(({ why }) => why);
    expect(whys).toEqual([null, "slower-line", "slower-line", null, null]);
  });
});

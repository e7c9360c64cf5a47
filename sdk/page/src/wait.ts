/** How long it may take, as a range whose end comes nearer, and never goes away again without a reason shown. */

const LOW = 0.9;
const HIGH = 1.25;
const SHOWN_MS = 120_000; // how long a reason stays

export type Why = "slower-rate" | "slower-line";

/** What is kept of it, also over a reload. */
export interface Kept {
  /** The server's clock at which the range ends, in milliseconds. */
  until: number;
  rate: number | null;
  why: Why | null;
  whyUntil: number;
}

export interface Range {
  /** Seconds. */
  low: number;
  high: number;
  /** Why it ends later than was told before. */
  why: Why | null;
}

/** The range to show, and what to keep; `estimate` in seconds, `rate` admissions a minute, `now` in milliseconds. */
export function tell(estimate: number, rate: number | null, now: number, kept: Kept | null): [Range, Kept] {
  const until = now + estimate * HIGH * 1000;
  const next: Kept = { until, rate, why: null, whyUntil: 0 };
  if (kept && now < kept.whyUntil) Object.assign(next, { why: kept.why, whyUntil: kept.whyUntil });
  if (kept && until > kept.until) {
    const isStillTrue = now + estimate * 1000 <= kept.until;
    if (isStillTrue) next.until = kept.until;
    else {
      const isSlower = rate !== null && kept.rate !== null && rate < kept.rate;
      Object.assign(next, { why: isSlower ? "slower-rate" : "slower-line", whyUntil: now + SHOWN_MS });
    }
  }
  const high = Math.max(0, (next.until - now) / 1000);
  return [{ low: Math.min(estimate * LOW, high), high, why: next.why }, next];
}

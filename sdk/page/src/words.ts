/** Words come from the page, in its language; numbers, times and their units from the browser. */

import { formatAmount } from "@fanfare/sdk-core";

const HOUR = 3600;
const DAY = 24 * HOUR;

export class Words {
  constructor(private readonly language: string) {}

  /** A phrase of the page with its `{names}` filled in; empty where the page has none. */
  phrase(name: string, values: Record<string, string> = {}): string {
    const found = document.querySelector<HTMLTemplateElement>(`template[data-phrase="${CSS.escape(name)}"]`);
    const text = found?.content.textContent.trim() ?? "";
    return text.replace(/\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
  }

  /** Of a code, or the shop's own words. */
  reason(code: string | undefined): string {
    return code === undefined ? "" : this.phrase(`reason-${code}`) || code;
  }

  number(value: number): string {
    return new Intl.NumberFormat(this.language).format(value);
  }

  /** `3–5 minutes`, `1–2 hours`; as coarse as one can honestly be. Seconds. */
  range(low: number, high: number): string {
    if (high <= 60) return this.phrase("under-a-minute");
    const unit = high < 1.5 * HOUR ? "minute" : "hour";
    const step = unit === "minute" ? 60 : HOUR / 2;
    const scale = unit === "minute" ? 1 : 0.5;
    const to = Math.ceil(high / step) * scale;
    const from = Math.max(scale, Math.min(Math.floor(low / step) * scale, to));
    const format = new Intl.NumberFormat(this.language, { style: "unit", unit, unitDisplay: "long" });
    return from === to ? format.format(to) : `${this.number(from)}–${format.format(to)}`;
  }

  /** `4:05`, `1:04:05`: what is left of a time. Seconds. */
  left(seconds: number): string {
    const whole = Math.max(0, Math.ceil(seconds));
    const [hours, minutes, rest] = [Math.floor(whole / HOUR), Math.floor((whole % HOUR) / 60), whole % 60];
    const two = (value: number) => String(value).padStart(2, "0");
    return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
  }

  /** `4:05`, and where that is far away `3 days`. Seconds. */
  until(seconds: number): string {
    if (seconds < 2 * DAY) return this.left(seconds);
    const format = new Intl.NumberFormat(this.language, { style: "unit", unit: "day", unitDisplay: "long" });
    return format.format(Math.floor(seconds / DAY));
  }

  /** `12 minutes`, `40 seconds`: to be read aloud. Seconds. */
  spoken(seconds: number): string {
    const unit = seconds < 90 ? "second" : seconds < 1.5 * HOUR ? "minute" : "hour";
    const size = { second: 1, minute: 60, hour: HOUR }[unit];
    const value = Math.max(0, Math.round(seconds / size));
    return new Intl.NumberFormat(this.language, { style: "unit", unit, unitDisplay: "long" }).format(value);
  }

  /** In the visitor's own time zone, which it names. */
  instant(at: string, length: "long" | "short" = "long"): string {
    const options = { weekday: length, day: "numeric", month: length, hour: "numeric", minute: "2-digit" } as const;
    return new Intl.DateTimeFormat(this.language, { ...options, timeZoneName: "short" }).format(new Date(at));
  }

  /** The time of a day, in the visitor's own time zone. */
  time(at: string): string {
    return new Intl.DateTimeFormat(this.language, { hour: "numeric", minute: "2-digit", second: "2-digit" }).format(new Date(at));
  }

  /** Money, with its currency. */
  amount(amount: string, currency: string): string {
    return formatAmount(amount, currency, this.language);
  }
}

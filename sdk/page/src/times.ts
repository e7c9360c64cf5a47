/** Days and times of a calendar, in its own time zone, with the visitor's beside it where the clocks differ. */

/** `2026-11-24`: a day of the calendar's. */
export type Day = string;

const DAY_MS = 86_400_000;

export class Times {
  constructor(
    private readonly language: string,
    readonly zone: string,
    private readonly own = new Intl.DateTimeFormat().resolvedOptions().timeZone,
  ) {}

  /** The day on which an instant is, in milliseconds or as text. */
  day(at: number | string): Day {
    return this.format(at, { year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA");
  }

  /** `Tuesday, 24 November`. */
  dayName(day: Day): string {
    return this.ofDay(day, { weekday: "long", day: "numeric", month: "long" });
  }

  /** `Tue` and `24`. */
  short(day: Day): { weekday: string; number: string } {
    return { weekday: this.ofDay(day, { weekday: "short" }), number: String(Number(day.slice(8))) };
  }

  /** `24–30 November`. */
  span(first: Day, last: Day): string {
    const format = new Intl.DateTimeFormat(this.language, { day: "numeric", month: "long", timeZone: "UTC" });
    return format.formatRange(noon(first), noon(last));
  }

  /** `9:00`, by the calendar's clock. */
  time(at: string): string {
    return this.format(at, { hour: "numeric", minute: "2-digit" });
  }

  /** `9:00–9:15`. */
  timeSpan(start: string, end: string): string {
    const options = { hour: "numeric", minute: "2-digit", timeZone: this.zone } as const;
    return new Intl.DateTimeFormat(this.language, options).formatRange(new Date(start), new Date(end));
  }

  /** By the visitor's own clock, with the day where that is another one; null where both clocks show the same. */
  ownTime(at: string): string | null {
    const whole = { day: "numeric", hour: "numeric", minute: "2-digit" } as const;
    if (this.format(at, whole) === this.format(at, whole, this.language, this.own)) return null;
    const isSameDay = this.day(at) === this.format(at, { year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA", this.own);
    const time = { hour: "numeric", minute: "2-digit" } as const;
    return this.format(at, isSameDay ? time : { weekday: "short", ...time }, this.language, this.own);
  }

  /** Day and time in words, and where the visitor's clock differs, whose clock it is and what theirs shows. */
  when(start: string, end: string): Record<"day" | "time" | "zone" | "own", string | null> {
    const own = this.ownTime(start);
    return { day: this.dayName(this.day(start)), time: this.timeSpan(start, end), zone: own && this.zoneName(start), own };
  }

  /** `Tuesday, 24 November at 9:00`, by the calendar's clock. */
  instant(at: string): string {
    return this.format(at, { weekday: "long", day: "numeric", month: "long", hour: "numeric", minute: "2-digit" });
  }

  /** `Central European Standard Time`: what the browser calls the zone, at that instant. */
  zoneName(at: string): string {
    const format = new Intl.DateTimeFormat(this.language, { timeZone: this.zone, timeZoneName: "long" });
    return format.formatToParts(new Date(at)).find(({ type }) => type === "timeZoneName")?.value ?? this.zone;
  }

  /** By the calendar's clock: 0 to 23. */
  hour(at: string): number {
    return Number(this.format(at, { hour: "2-digit", hourCycle: "h23" }, "en-GB"));
  }

  private format(at: number | string, options: Intl.DateTimeFormatOptions, language = this.language, timeZone = this.zone): string {
    return new Intl.DateTimeFormat(language, { ...options, timeZone }).format(new Date(at));
  }

  private ofDay(day: Day, options: Intl.DateTimeFormatOptions): string {
    return new Intl.DateTimeFormat(this.language, { ...options, timeZone: "UTC" }).format(noon(day));
  }
}

/** So many days later. */
export function plusDays(day: Day, number: number): Day {
  return new Date(noon(day) + number * DAY_MS).toISOString().slice(0, 10);
}

function noon(day: Day): number {
  return Date.parse(`${day}T12:00:00Z`);
}

/** What a visitor is doing with an appointment's calendar: which days they look at, what they chose, what for. */

import { FanfareError, NetworkError, type AppointmentStatus, type Slot } from "@fanfare/sdk-core";
import { problemOf } from "./doors";
import type { AppointmentSeen } from "./kinds/appointment";
import { plusDays, Times, type Day } from "./times";

export const SHOWN_DAYS = 7;
const MOST_DAYS = 62; // of one question
const FRESH_MS = 20_000;
/** What a visitor is told and does something about; all else is the page's to deal with. */
const THEIRS = /^(SLOT_|BOOKING_|TOO_LATE_TO_CANCEL|ILLEGAL_TRANSITION)/;

export class Calendar {
  /** The first of the days shown. */
  first: Day;
  day: Day | null = null;
  slot: Slot | null = null;
  /** Null until it is known what is in the days shown. */
  slots: Slot[] | null = null;
  step: "standing" | "choose" | "confirm" | "cancel" = "standing";
  /** The booking that is moved or given up; null: a new one is made. */
  bookingId: string | null = null;
  problem = "";
  /** To be announced. */
  says = "";
  /** Nothing is free in all the days that may be booked. */
  isBare = false;
  private askedAt = -Infinity;
  private hasSought = false;
  private isExpected: ((standing: AppointmentStatus | null) => boolean) | null = null;

  constructor(
    readonly times: Times,
    private readonly today: Day,
  ) {
    this.first = today;
  }

  /** The days shown. */
  get days(): Day[] {
    return Array.from({ length: SHOWN_DAYS }, (_, index) => plusDays(this.first, index));
  }

  on(day: Day | null): Slot[] {
    return (this.slots ?? []).filter(({ startTime }) => this.times.day(startTime) === day);
  }

  /** Whether something was done of which the watched standing doesn't tell yet. */
  awaits(standing: AppointmentStatus | null): boolean {
    if (this.isExpected?.(standing)) this.isExpected = null;
    return this.isExpected !== null;
  }

  begin(step: Calendar["step"], bookingId: string | null = null): void {
    this.step = step;
    this.bookingId = bookingId;
    this.slot = null;
    this.problem = this.says = "";
  }

  /** Days on, or back; never before today or after what may be booked. */
  turn(seen: AppointmentSeen, pages: number): void {
    this.go(seen, plusDays(this.first, pages * SHOWN_DAYS));
    this.says = this.times.span(this.first, plusDays(this.first, SHOWN_DAYS - 1));
    seen.redraw();
  }

  isEdge(seen: AppointmentSeen, pages: number): boolean {
    const first = plusDays(this.first, pages * SHOWN_DAYS);
    return pages < 0 ? this.first <= this.today : first > this.last(seen);
  }

  pick(seen: AppointmentSeen, day: Day): void {
    this.day = day;
    this.problem = "";
    this.says = this.times.dayName(day);
    seen.redraw();
  }

  /** Look again, where that was long ago; the first time go where something is free. */
  renew(seen: AppointmentSeen, isForced = false): void {
    if (!isForced && seen.now - this.askedAt < FRESH_MS) return;
    this.askedAt = seen.now;
    const { first } = this;
    void this.ask(seen, first, SHOWN_DAYS).then((slots) => {
      if (slots === null || first !== this.first) return;
      this.slots = slots;
      if (!slots.some(isFree) && !this.hasSought) void this.seek(seen);
      else this.settleDay();
      this.hasSought = true;
      seen.redraw();
    });
  }

  /** Go to the first day after these with something free. */
  async seek(seen: AppointmentSeen): Promise<void> {
    for (let from = plusDays(this.first, SHOWN_DAYS); from <= this.last(seen); from = plusDays(from, MOST_DAYS)) {
      const found = (await this.ask(seen, from, MOST_DAYS))?.find(isFree);
      if (!found) continue;
      const day = this.times.day(found.startTime);
      while (day >= plusDays(this.first, SHOWN_DAYS)) this.first = plusDays(this.first, SHOWN_DAYS);
      this.go(seen, this.first);
      return;
    }
    this.isBare = this.first === this.today;
    this.says = seen.page.words.phrase("appointment-bare");
    seen.redraw();
  }

  /** Book, move or give up; what went wrong is told in words, and the calendar looked at again. */
  async settle(seen: AppointmentSeen, what: () => Promise<(standing: AppointmentStatus | null) => boolean>): Promise<void> {
    try {
      this.isExpected = await what();
      this.begin("standing");
    } catch (error) {
      if (!(error instanceof FanfareError) || !THEIRS.test(error.code)) throw error;
      const isOfSlot = error.code.startsWith("SLOT_");
      const bookingId = this.bookingId;
      this.begin(isOfSlot ? "choose" : "standing", isOfSlot ? bookingId : null);
      this.problem = this.says = problemOf(seen.page, error);
      this.renew(seen, true);
    }
  }

  private go(seen: AppointmentSeen, first: Day): void {
    this.first = first;
    this.day = this.slots = null;
    this.isBare = false;
    this.renew(seen, true);
  }

  private last(seen: AppointmentSeen): Day {
    return this.times.day(seen.now + seen.details.furthestAheadDays * 86_400_000);
  }

  private settleDay(): void {
    if (this.day !== null && this.on(this.day).length > 0) return;
    const next = this.slots?.find(isFree) ?? this.slots?.[0];
    this.day = next ? this.times.day(next.startTime) : null;
  }

  private async ask(seen: AppointmentSeen, startDate: Day, days: number): Promise<Slot[] | null> {
    const { page, details } = seen;
    try {
      const asked = { startDate, endDate: plusDays(startDate, days - 1), timeZone: this.times.zone };
      const { slots } = await page.fanfare.appointments.slots(details.id, asked);
      if (this.problem === page.words.phrase("problem-network")) this.problem = "";
      return slots;
    } catch (error) {
      if (!(error instanceof FanfareError || error instanceof NetworkError)) throw error;
      this.problem = problemOf(page, error);
      seen.redraw();
      return null;
    }
  }
}

export function isFree({ available }: Slot): boolean {
  return available > 0;
}

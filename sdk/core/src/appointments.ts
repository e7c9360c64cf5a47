/** `/appointments/…`: a calendar of slots. */

import { segment } from "./http";
import { Kind } from "./kinds";
import type { Appointment, AppointmentStatus, Cancelled, Slots } from "./types";

/** One day, or the first and the last of some; in a time zone, the appointment's unless said. */
export type Days = ({ date: string } | { startDate: string; endDate: string }) & { timeZone?: string };

/** By its id, or by when it starts (ISO 8601 with Z or an offset). */
export type Which = ({ slotId: string } | { slotTime: string }) & { metadata?: Record<string, unknown> };

export interface CancelOptions {
  /** Needed where the consumer has several ahead. */
  bookingId?: string | undefined;
  reason?: string | undefined;
}

export class Appointments extends Kind<Appointment, AppointmentStatus> {
  protected readonly path = "appointments";
  protected override readonly admittedSeconds = 60; // days may pass until then

  /** The slots of some days, in order, full ones too. */
  slots(id: string, days: Days): Promise<Slots> {
    return this.api.open<Slots>(this.reads(id, "/slots", days));
  }

  /** Book a place in a slot, or find the booking there is. Rejects with SLOT_FULL. */
  book(id: string, which: Which): Promise<AppointmentStatus> {
    const call = { method: "POST", path: this.at(id, "/book"), body: which, repeatable: true } as const;
    return this.moving(id, this.api.asConsumer<AppointmentStatus>(call, { fingerprinted: true }));
  }

  /** Book another slot and give up a booking, in one: `bookingId`, or the only one ahead. */
  rebook(id: string, which: Which & { bookingId?: string }): Promise<AppointmentStatus> {
    const call = { method: "POST", path: this.at(id, "/rebook"), body: which } as const;
    return this.moving(id, this.api.asConsumer<AppointmentStatus>(call, { fingerprinted: true }));
  }

  /** Give a booking up. */
  cancel(id: string, options: CancelOptions = {}): Promise<Cancelled> {
    const call = { method: "DELETE", path: this.at(id, "/cancel"), query: options } as const;
    return this.moving(id, this.api.asConsumer<Cancelled>(call));
  }

  /** A booking of one's own as the text of a calendar file (iCalendar). */
  calendarFile(id: string, bookingId: string): Promise<string> {
    const call = this.reads(id, `/bookings/${segment(bookingId)}.ics`);
    return this.api.asConsumer<string>({ ...call, accept: "text/calendar" });
  }

  /** An answer tells of one booking; watchers are told of all. */
  private async moving<T>(id: string, action: Promise<T>): Promise<T> {
    const answer = await action;
    this.watchers.refresh(this.at(id));
    return answer;
  }
}

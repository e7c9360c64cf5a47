/** An appointment: a calendar to choose from, and what was booked in it. */

import type { Appointment, AppointmentStatus, Fanfare } from "@fanfare/sdk-core";
import { Calendar } from "../calendar";
import { wayOn } from "../handover";
import { Times } from "../times";
import { cancelling, choosing, confirming } from "./appointment_calendar";
import type { Client, Details, Kind, Seen, Shown, Standing } from "./kind";
import { shared } from "./shared";
import type { Filling } from "../stage";

export type AppointmentDetails = Appointment & Details;
export type AppointmentStanding = AppointmentStatus & Standing;
export type AppointmentSeen = Seen<AppointmentDetails, AppointmentStanding>;
export type Booking = NonNullable<AppointmentStatus["bookings"]>[number];

/** By distribution; they outlive a sign-in underway, so that what was chosen stays so. */
const calendars = new Map<string, Calendar>();

export const appointment: Kind<AppointmentDetails, AppointmentStanding> = {
  name: "appointment",
  client,
  show(seen) {
    if (seen.refusal) return null;
    const calendar = calendarOf(seen);
    const isBusy = seen.isBusy || calendar.awaits(seen.standing);
    const ahead = seen.standing?.bookings ?? [];
    const known = ahead.find(({ bookingId }) => bookingId === calendar.bookingId);
    if (calendar.bookingId !== null && !known && !isBusy) calendar.begin("standing");
    if (calendar.step === "cancel" && known) return cancelling(seen, calendar, known, isBusy);
    const isOver = ahead.length === 0 && !isPast(seen);
    if (calendar.step === "standing" && !isOver) return standing(seen, calendar, ahead);
    if (seen.standing?.status === "DENIED" && seen.standing.denyReason !== "ADMISSION_EXPIRED") return null;
    if (seen.phase !== "OPEN") return shared(appointment, { ...seen, standing: null });
    if (calendar.step === "confirm" && calendar.slot) return confirming(seen, calendar, calendar.slot, isBusy);
    return choosing(seen, calendar);
  },
};

/** One enters by booking, and leaves by giving bookings up. */
function client(fanfare: Fanfare): Client<AppointmentDetails, AppointmentStanding> {
  const none = () => Promise.reject(new Error("An appointment is entered by booking."));
  const { appointments } = fanfare;
  return {
    get: (id) => appointments.get(id),
    watch: (id, listener) => appointments.watch(id, listener),
    enter: none,
    leave: none,
  };
}

function calendarOf(seen: AppointmentSeen): Calendar {
  const { id, timeZone } = seen.details;
  const times = new Times(seen.page.told.language, timeZone);
  const found = calendars.get(id) ?? new Calendar(times, times.day(seen.now));
  calendars.set(id, found);
  return found;
}

/** One that was today, say, of which nobody has said yet whether they came. */
function isPast({ standing }: AppointmentSeen): boolean {
  return standing !== null && ["ADMITTED", "COMPLETED"].includes(standing.status) && standing.bookingId !== undefined;
}

function standing(seen: AppointmentSeen, calendar: Calendar, ahead: Booking[]): Shown {
  const { words, told } = seen.page;
  const { details, standing: now, phase, fingerprint } = seen;
  const shown = ahead.length > 0 || !now ? ahead : [now];
  const isMore = phase === "OPEN" && ahead.length < details.maxBookingsPerConsumer;
  const title = words.phrase(ahead.length === 0 ? "appointment-over" : "appointment-booked");
  const shop = wayOn(told.returnUrl, now?.admissionToken, fingerprint);
  return {
    view: "booked",
    title,
    filling: {
      text: {
        name: details.name,
        title,
        message: now?.message ?? details.message,
        problem: calendar.problem,
        more: isMore ? words.phrase(ahead.length === 0 ? "appointment-again" : "appointment-another") : null,
        shop: shop && "1",
        host: told.returnUrl && new URL(told.returnUrl).hostname,
      },
      links: shop ? { shop } : {},
      lists: { bookings: shown.map((booking) => booked(seen, calendar, booking)) },
      does: {
        more: () => {
          calendar.begin("choose");
          calendar.renew(seen, true);
          seen.redraw();
        },
      },
    },
    says: calendar.says || title,
  };
}

function booked(seen: AppointmentSeen, calendar: Calendar, booking: Booking): Filling {
  const { page, details, now, phase, standing: known } = seen;
  const { startTime = "", endTime = "", bookingId = "", confirmationCode, status } = booking;
  const { times } = calendar;
  const until = Date.parse(startTime) - details.latestCancellationMinutes * 60_000;
  const isHeld = status === "ADMITTED" && now < Date.parse(endTime);
  const may = isHeld && now <= until;
  const done = status === "COMPLETED" ? (bookingId === known?.bookingId ? (known.completedAt ?? "") : "") : null;
  const open = (step: "choose" | "cancel") => () => {
    calendar.begin(step, bookingId);
    if (step === "choose") calendar.renew(seen, true);
    seen.redraw();
  };
  return {
    text: {
      ...times.when(startTime, endTime),
      code: isHeld ? confirmationCode : null,
      place: details.location?.name,
      address: details.location?.address,
      until: may && details.latestCancellationMinutes > 0
        ? page.words.phrase("appointment-until", { when: times.instant(new Date(until).toISOString()) }) : null,
      fixed: isHeld && !may ? "1" : null,
      done: done === null ? null : page.words.phrase(done ? "appointment-done-at" : "appointment-done", { time: done && times.time(done) }),
      file: isHeld ? "1" : null,
      change: may && phase === "OPEN" ? "1" : null,
      cancel: may ? "1" : null,
    },
    does: { change: open("choose"), cancel: open("cancel"), file: () => seen.attempt(() => download(seen, booking)) },
  };
}

/** The file comes with the consumer's token, which a link has not. */
async function download({ page, details }: AppointmentSeen, { bookingId = "", confirmationCode }: Booking): Promise<void> {
  const text = await page.fanfare.appointments.calendarFile(details.id, bookingId);
  const address = URL.createObjectURL(new Blob([text], { type: "text/calendar" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = `${confirmationCode ?? bookingId}.ics`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

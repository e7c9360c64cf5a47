/** The steps to a booking: a day and a time, a last look, and giving one up. */

import type { Slot } from "@fanfare/sdk-core";
import { isFree, SHOWN_DAYS, type Calendar } from "../calendar";
import type { Filling } from "../stage";
import { plusDays, type Day } from "../times";
import type { AppointmentSeen, Booking } from "./appointment";
import type { Shown } from "./kind";

/** Hours at which the parts of a day end. */
const PARTS = { morning: 12, afternoon: 17, evening: 24 };

export function choosing(seen: AppointmentSeen, calendar: Calendar): Shown {
  const { words } = seen.page;
  calendar.renew(seen);
  const slots = calendar.on(calendar.day);
  const isFull = calendar.slots !== null && !calendar.slots.some(isFree);
  const zone = slots.find(({ startTime }) => calendar.times.ownTime(startTime));
  const isBack = calendar.step === "choose" && (seen.standing?.bookings?.length ?? 0) > 0;
  return {
    view: "choose",
    filling: {
      text: {
        name: seen.details.name,
        title: words.phrase(calendar.bookingId ? "appointment-move" : "appointment-choose"),
        message: seen.details.message,
        problem: calendar.problem,
        days: calendar.times.span(calendar.first, plusDays(calendar.first, SHOWN_DAYS - 1)),
        isFirst: calendar.isEdge(seen, -1) ? "1" : null,
        isLast: calendar.isEdge(seen, 1) ? "1" : null,
        loading: calendar.slots === null ? "1" : null,
        day: calendar.day && slots.length ? calendar.times.dayName(calendar.day) : null,
        zone: zone ? words.phrase("appointment-zone", { zone: calendar.times.zoneName(zone.startTime) }) : null,
        none: isFull && !calendar.isBare ? "1" : null,
        bare: calendar.isBare ? "1" : null,
        rules: calendar.bookingId ? null : rules(seen),
        back: isBack ? "1" : null,
        ...parts(calendar, slots),
      },
      lists: {
        week: calendar.days.map((day) => dayButton(seen, calendar, day)),
        ...lists(seen, calendar, slots),
      },
      does: {
        before: () => calendar.turn(seen, -1),
        after: () => calendar.turn(seen, 1),
        seek: () => void calendar.seek(seen),
        back: () => {
          calendar.begin("standing");
          seen.redraw();
        },
      },
    },
    says: calendar.says || words.phrase("appointment-choose"),
  };
}

/** Which limits there are, in words; null: none worth a word. */
function rules({ page: { words, fanfare }, details }: AppointmentSeen): string | null {
  const { maxBookingsPerConsumer: most, leastNoticeMinutes, supportsGuest } = details;
  const isGuest = fanfare.auth.session()?.type !== "authenticated";
  const told = [
    leastNoticeMinutes > 0 ? words.phrase("appointment-notice", { time: words.spoken(leastNoticeMinutes * 60) }) : "",
    most > 1 ? words.phrase("appointment-most", { most: words.number(most) }) : "",
    !supportsGuest && isGuest ? words.phrase("appointment-sign-in") : "",
  ];
  return told.filter(Boolean).join(" ") || null;
}

function dayButton(seen: AppointmentSeen, calendar: Calendar, day: Day): Filling {
  const { words } = seen.page;
  const { weekday, number } = calendar.times.short(day);
  const slots = calendar.on(day);
  const free = slots.filter(isFree).length;
  const state = calendar.slots === null ? "unknown" : free ? "free" : slots.length ? "full" : "none";
  const told = words.phrase(free === 1 ? "appointment-one-free" : `appointment-${state}`, { free: words.number(free) });
  return {
    text: {
      weekday,
      number,
      spoken: [calendar.times.dayName(day), told].filter(Boolean).join(": "),
      free: free ? words.number(free) : null,
      full: state === "full" ? "1" : null,
      none: state === "none" ? "1" : null,
      off: state === "none" || state === "unknown" ? "1" : null,
      chosen: day === calendar.day ? "1" : null,
    },
    does: { pick: () => calendar.pick(seen, day) },
  };
}

function partOf(calendar: Calendar, { startTime }: Slot): string {
  const hour = calendar.times.hour(startTime);
  return Object.entries(PARTS).find(([, end]) => hour < end)?.[0] ?? "evening";
}

/** Which parts of the day have slots. */
function parts(calendar: Calendar, slots: Slot[]): Record<string, string | null> {
  const there = new Set(slots.map((slot) => partOf(calendar, slot)));
  return Object.fromEntries(Object.keys(PARTS).map((part) => [part, there.has(part) ? "1" : null]));
}

function lists(seen: AppointmentSeen, calendar: Calendar, slots: Slot[]): Record<string, Filling[]> {
  const of = (part: string) => slots.filter((slot) => partOf(calendar, slot) === part);
  return Object.fromEntries(Object.keys(PARTS).map((part) => [part, of(part).map((slot) => slotButton(seen, calendar, slot))]));
}

function slotButton(seen: AppointmentSeen, calendar: Calendar, slot: Slot): Filling {
  const { words } = seen.page;
  const isTheirs = seen.standing?.bookings?.some(({ startTime }) => startTime === slot.startTime) ?? false;
  const own = calendar.times.ownTime(slot.startTime);
  const isFew = isFree(slot) && !isTheirs && slot.capacity > 1;
  return {
    text: {
      time: calendar.times.time(slot.startTime),
      own,
      left: isFew ? words.phrase(slot.available === 1 ? "appointment-one-place" : "appointment-places", { places: words.number(slot.available) }) : null,
      full: !isFree(slot) && !isTheirs ? "1" : null,
      yours: isTheirs ? "1" : null,
      off: isTheirs || !isFree(slot) ? "1" : null,
    },
    does: {
      take: () => {
        calendar.slot = slot;
        calendar.step = "confirm";
        calendar.problem = calendar.says = "";
        seen.redraw();
      },
    },
  };
}

export function confirming(seen: AppointmentSeen, calendar: Calendar, slot: Slot, isBusy: boolean): Shown {
  const { page, details } = seen;
  const { words, fanfare } = page;
  const { bookingId } = calendar;
  const notice = details.latestCancellationMinutes;
  const until = new Date(Date.parse(slot.startTime) - notice * 60_000).toISOString();
  const book = async () => {
    const { appointments } = fanfare;
    const which = { slotId: slot.id };
    const made = await (bookingId ? appointments.rebook(details.id, { ...which, bookingId }) : appointments.book(details.id, which));
    return (standing: AppointmentSeen["standing"]) =>
      made.status === "DENIED" || (standing?.bookings ?? []).some((one) => one.bookingId === made.bookingId);
  };
  return {
    view: "confirm",
    filling: {
      text: {
        name: details.name,
        title: words.phrase(bookingId ? "appointment-confirm-move" : "appointment-confirm"),
        ...calendar.times.when(slot.startTime, slot.endTime),
        place: details.location?.name,
        address: details.location?.address,
        until: words.phrase(notice > 0 ? "appointment-until" : "appointment-until-start", { when: calendar.times.instant(until) }),
        go: words.phrase(bookingId ? "appointment-go-move" : "appointment-go"),
        busy: isBusy ? "1" : null,
      },
      does: {
        book: () => seen.attempt(() => calendar.settle(seen, book)),
        back: () => {
          calendar.slot = null;
          calendar.step = "choose";
          seen.redraw();
        },
      },
    },
    says: "",
  };
}

export function cancelling(seen: AppointmentSeen, calendar: Calendar, booking: Booking, isBusy: boolean): Shown {
  const { page, details } = seen;
  const { bookingId = "" } = booking;
  const cancel = (reason: string | undefined) => async () => {
    await page.fanfare.appointments.cancel(details.id, { bookingId, reason });
    return (standing: AppointmentSeen["standing"]) => !(standing?.bookings ?? []).some((one) => one.bookingId === bookingId);
  };
  return {
    view: "cancel",
    filling: {
      text: { name: details.name, ...calendar.times.when(booking.startTime ?? "", booking.endTime ?? ""), busy: isBusy ? "1" : null },
      does: {
        cancel: (form) => {
          const reason = form.get("reason");
          const told = typeof reason === "string" && reason.trim() !== "" ? reason.trim() : undefined;
          seen.attempt(async () => {
            await calendar.settle(seen, cancel(told));
            if (calendar.problem === "") calendar.says = page.words.phrase("appointment-cancelled");
          });
        },
        keep: () => {
          calendar.begin("standing");
          seen.redraw();
        },
      },
    },
    says: "",
  };
}

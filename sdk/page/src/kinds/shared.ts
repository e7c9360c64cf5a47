/** What all kinds show alike: before, outside, at one's turn, and when it is over. */

import type { Next } from "@fanfare/sdk-core";
import { problemOf } from "../doors";
import { follow, isThere } from "../following";
import { wayOn } from "../handover";
import type { Filling } from "../stage";
import type { AnyKind, Details, Seen, Shown, Standing } from "./kind";

type AnySeen = Seen<Details, Standing>;

const DAY = 86_400;
/** By how a refusal's code ends. */
const REFUSED = { _SOLD_OUT: "sold-out", _FULL: "full", _PAUSED: "paused", _CLOSED: "closed" };

export function shared(kind: AnyKind, seen: AnySeen): Shown {
  const found = seen.standing ? standing(kind, seen, seen.standing) : outside(kind, seen);
  const text = { name: seen.details.name, busy: seen.isBusy ? "1" : null, message: seen.details.message };
  return { ...found, filling: { ...found.filling, text: { ...text, ...found.filling.text } } };
}

function standing(kind: AnyKind, seen: AnySeen, now: Standing): Shown {
  const { words } = seen.page;
  const client = kind.client(seen.page.fanfare);
  const leave = () => seen.attempt(() => client.leave(seen.details.id));
  const enter = () => seen.attempt(() => client.enter(seen.details.id));
  if (seen.refusal) return refused(seen, enter);
  const again = seen.phase === "OPEN" ? "1" : null;
  switch (now.status) {
    case "ADMITTED":
      return yourTurn(seen, now, leave);
    case "COMPLETED":
      return { view: "completed", filling: {}, says: words.phrase("says-completed") };
    case "DENIED": {
      const reason = words.reason(now.denyReason);
      const may = now.denyReason === "ADMISSION_EXPIRED" ? again : null;
      return { view: "denied", filling: onward(seen, now.next, { text: { reason, again: may }, does: { enter } }), says: reason };
    }
    case "LEFT":
      return { view: "left", filling: { text: { again }, does: { enter } }, says: words.phrase("says-left-it") };
    default:
      return { view: "entered", filling: { does: { leave } } };
  }
}

function yourTurn(seen: AnySeen, now: Standing, leave: () => void): Shown {
  const { words, told } = seen.page;
  const seconds = now.expiresAt ? (Date.parse(now.expiresAt) - seen.now) / 1000 : null;
  const whole = now.expiresAt && now.admittedAt ? (Date.parse(now.expiresAt) - Date.parse(now.admittedAt)) / 1000 : 1;
  const shop = wayOn(told.returnUrl, now.admissionToken, seen.fingerprint);
  return {
    view: "your-turn",
    title: words.phrase("your-turn"),
    filling: {
      text: {
        left: seconds === null ? null : words.left(seconds),
        shop: shop && "1",
        noShop: told.returnUrl === null ? "1" : null,
        host: told.returnUrl && new URL(told.returnUrl).hostname,
      },
      bars: { left: seconds === null ? 1 : seconds / whole },
      links: shop ? { shop } : {},
      does: { leave },
    },
    says: words.phrase("says-your-turn"),
    mentions: seconds === null ? "" : words.phrase("says-left", { time: words.spoken(seconds) }),
  };
}

/** Of who is not in: before it opens, while it is open, and afterwards. */
function outside(kind: AnyKind, seen: AnySeen): Shown {
  const { refusal, details, phase, page } = seen;
  const again = () => seen.attempt(() => kind.client(page.fanfare).enter(details.id));
  if (refusal) return refused(seen, again);
  if (phase === "PENDING" && details.openAt) return countdown(seen, details.openAt, again);
  if (phase === "PAUSED") return { view: "paused", filling: {}, says: page.words.phrase("says-paused") };
  if (phase === "CLOSED") return { view: "closed", filling: onward(seen, follow(seen.sequence)) };
  return { view: "enter", filling: { does: { enter: again } } };
}

function refused(seen: AnySeen, again: () => void): Shown {
  const code = seen.refusal?.code ?? "";
  const next = seen.refusal?.extra.next as Next | undefined;
  const found = Object.entries(REFUSED).find(([end]) => code.endsWith(end));
  if (!found) {
    const problem = problemOf(seen.page, seen.refusal);
    return { view: "failed", filling: { text: { problem, again: "1" }, does: { enter: again, back: seen.dismiss } }, says: problem };
  }
  const [, view] = found;
  return {
    view,
    filling: onward(seen, next, { does: { enter: again }, text: { again: view === "closed" ? null : "1" } }),
    says: seen.page.words.phrase(`says-${view}`),
  };
}

function countdown(seen: AnySeen, openAt: string, enter: () => void): Shown {
  const { words } = seen.page;
  const seconds = Math.max(0, Math.ceil((Date.parse(openAt) - seen.now) / 1000));
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0");
  const from = seen.details.enterFrom;
  return {
    view: "countdown",
    filling: {
      text: {
        opens: words.instant(openAt),
        days: seconds >= DAY ? String(Math.floor(seconds / DAY)) : null,
        hours: two((seconds % DAY) / 3600),
        minutes: two((seconds % 3600) / 60),
        seconds: two(seconds % 60),
        early: from && Date.parse(from) <= seen.now ? "1" : null,
      },
      does: { enter },
    },
    mentions: seconds < 3600 ? words.phrase("says-opens", { time: words.spoken(seconds) }) : "",
  };
}

/** With a button to what follows, where something does. */
function onward(seen: AnySeen, next: Next | undefined, filling: Filling = {}): Filling {
  const there = next && isThere(seen.page, next) ? next : undefined;
  const name = there?.kind === "waitlist" ? seen.page.words.phrase("next-waitlist") : seen.page.words.phrase("next");
  return {
    ...filling,
    text: { next: there && name, ...filling.text },
    does: { ...filling.does, next: () => there && seen.page.open(there.id) },
  };
}

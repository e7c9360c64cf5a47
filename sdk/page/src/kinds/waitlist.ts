/** A waitlist: to be told when there is something, or to be offered it. */

import type { Fanfare, Waitlist, WaitlistStatus } from "@fanfare/sdk-core";
import * as doors from "../doors";
import { pin } from "../page";
import type { Client, Details, Kind, Seen, Shown, Standing } from "./kind";

type WaitlistDetails = Waitlist & Details;
type WaitlistStanding = Standing & Pick<WaitlistStatus, "notifiedAt" | "offerExpiresAt" | "offerOutcome">;
type WaitlistSeen = Seen<WaitlistDetails, WaitlistStanding>;

export const waitlist: Kind<WaitlistDetails, WaitlistStanding> = {
  name: "waitlist",
  client,
  show(seen) {
    const { standing, refusal, phase } = seen;
    if (refusal) return null;
    if (standing?.offerOutcome === "CLAIMED") return claimed(seen);
    if (standing?.offerOutcome === "LAPSED") return passed(seen);
    if (standing?.status === "QUEUED") return isOffered(seen, standing) ? offered(seen, standing) : waiting(seen, standing);
    return standing || phase !== "OPEN" ? null : outside(seen);
  },
};

/** Who does not wait here has no standing, unless it is known how the waiting ended. */
function client(fanfare: Fanfare): Client<WaitlistDetails, WaitlistStanding> {
  const { waitlists } = fanfare;
  const known = (value: WaitlistStatus | null) => (value?.status ?? value?.offerOutcome ? (value as WaitlistStanding) : null);
  return {
    get: (id) => waitlists.get(id),
    watch: (id, listener) => waitlists.watch(id, ({ value, error }) => listener({ value: known(value), error })),
    enter: (id) => waitlists.enter(id),
    leave: (id) => waitlists.leave(id),
  };
}

/** Where they can be written to; null: nowhere. */
function addressOf({ page }: WaitlistSeen): string | null {
  const session = page.fanfare.auth.session();
  return session?.email ?? session?.phone ?? null;
}

function actions(seen: WaitlistSeen): Record<string, () => void> {
  const { page, details, attempt } = seen;
  return {
    enter: () => attempt(() => page.fanfare.waitlists.enter(details.id)),
    leave: () => attempt(() => page.fanfare.waitlists.leave(details.id)),
    sign: () => {
      pin(details.id); // whichever sequence is theirs then
      doors.signIn(page);
    },
    code: () => doors.accessCode(page),
  };
}

function outside(seen: WaitlistSeen): Shown {
  const { details, isBusy, page } = seen;
  const { words } = page;
  const number = details.consumerCount;
  return {
    view: "enter",
    filling: {
      text: {
        name: details.name,
        message: details.message,
        offers: details.mode === "offer" ? "1" : null,
        number: number > 0 ? words.phrase(number === 1 ? "waitlist-one" : "waitlist-number", { number: words.number(number) }) : null,
        guest: addressOf(seen) === null && details.supportsGuest ? "1" : null,
        busy: isBusy ? "1" : null,
      },
      does: actions(seen),
    },
  };
}

function waiting(seen: WaitlistSeen, standing: WaitlistStanding): Shown {
  const { words } = seen.page;
  const address = addressOf(seen);
  const told = standing.notifiedAt && words.phrase("waitlist-told", { when: words.instant(standing.notifiedAt) });
  return {
    view: "waiting",
    title: words.phrase("waitlist-on"),
    filling: {
      text: {
        name: seen.details.name,
        message: standing.message ?? seen.details.message,
        told,
        offers: seen.details.mode === "offer" ? "1" : null,
        address,
        guest: address === null ? "1" : null,
      },
      does: actions(seen),
    },
    says: told ?? words.phrase("waitlist-on"),
  };
}

function isOffered({ now }: WaitlistSeen, { offerExpiresAt }: WaitlistStanding): boolean {
  return offerExpiresAt !== undefined && now < Date.parse(offerExpiresAt);
}

function offered(seen: WaitlistSeen, { offerExpiresAt = "", notifiedAt = "", message }: WaitlistStanding): Shown {
  const { words } = seen.page;
  const [end, start] = [Date.parse(offerExpiresAt), Date.parse(notifiedAt)];
  const seconds = (end - seen.now) / 1000;
  const isOffer = seen.details.mode === "offer";
  return {
    view: "offered",
    title: words.phrase("waitlist-offered"),
    filling: {
      text: {
        name: seen.details.name,
        message: message ?? seen.details.message,
        left: words.left(seconds),
        until: words.instant(offerExpiresAt),
        address: addressOf(seen),
        offers: isOffer ? "1" : null,
        leave: words.phrase(isOffer ? "waitlist-decline" : "waitlist-leave"),
      },
      bars: { left: (end - seen.now) / Math.max(1, end - start) },
      does: actions(seen),
    },
    says: words.phrase("waitlist-offered"),
    mentions: words.phrase("says-left", { time: words.spoken(seconds) }),
  };
}

function claimed(seen: WaitlistSeen): Shown {
  const onward = () => {
    pin(null);
    void seen.page.route();
  };
  return {
    view: "claimed",
    filling: { text: { name: seen.details.name }, does: { onward } },
    says: seen.page.words.phrase("waitlist-claimed"),
  };
}

function passed(seen: WaitlistSeen): Shown {
  const { words } = seen.page;
  const text = { name: seen.details.name, again: seen.phase === "OPEN" ? "1" : null, busy: seen.isBusy ? "1" : null };
  return { view: "passed", filling: { text, does: actions(seen) }, says: words.phrase("waitlist-passed") };
}

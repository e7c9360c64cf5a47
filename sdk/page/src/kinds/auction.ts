/** An auction: price, own state, and the form to bid by. */

import { compareAmounts, type Auction, type AuctionStatus } from "@fanfare/sdk-core";
import { problemOf, signIn } from "../doors";
import type { Filling } from "../stage";
import { adding } from "./adding";
import { bid, buy, deskOf, fields, ownBids, type AuctionSeen } from "./bidding";
import type { Details, Kind, Shown, Standing } from "./kind";
import { shared } from "./shared";

const MOVED_MS = 20_000; // how long it is told that the closing moved
const never = () => Promise.reject(new TypeError("One takes part in an auction by bidding."));

export const auction: Kind<Auction & Details, AuctionStatus & Standing> = {
  name: "auction",
  client: ({ auctions }) => ({
    get: (id) => auctions.get(id),
    watch: (id, listener) => auctions.watch(id, listener),
    enter: never,
    leave: never,
  }),
  show(seen) {
    const { details, standing, refusal, phase } = seen;
    if (standing && standing.status !== "QUEUED") return decided(seen);
    if (details.cancelledAt) return { view: "cancelled", filling: { text: about(seen) } };
    if (phase === "PENDING") return adding(shared(auction, seen), { text: about(seen) });
    const isOpen = phase === "OPEN" && !refusal?.code.endsWith("_CLOSED");
    if (isOpen) return deskOf(details.id).isBuying ? buying(seen) : bidding(seen);
    if (phase !== "SETTLED") return { view: "closing", filling: { text: about(seen) }, says: seen.page.words.phrase("auction-closing") };
    if (standing) return { view: "waiting", filling: { text: about(seen) }, says: seen.page.words.phrase("auction-waiting") };
    return adding(shared(auction, { ...seen, refusal: null, phase: "CLOSED" }), { text: about(seen) });
  },
};

/** Who has won, lost, paid or was too late. */
function decided(seen: AuctionSeen): Shown {
  const { details, standing, page } = seen;
  if (details.cancelledAt && standing?.denyReason === "ADMIN_ACTION") return { view: "cancelled", filling: { text: about(seen) } };
  const shown = shared(auction, { ...seen, refusal: null, phase: "CLOSED" });
  const pays = standing?.winningAmount && page.words.amount(standing.winningAmount, details.currencyCode);
  return adding(shown, {
    text: { ...about(seen), message: standing?.message ?? details.message, pays },
    does: { leave: () => undefined },
  });
}

/** The last word before somebody buys. */
function buying(seen: AuctionSeen): Shown {
  const desk = deskOf(seen.details.id);
  const back = () => {
    desk.isBuying = false;
    seen.redraw();
  };
  return { view: "buying", filling: { text: about(seen), does: { buy: () => buy(seen), back } } };
}

function bidding(seen: AuctionSeen): Shown {
  const { details, page, standing, now } = seen;
  const { words, fanfare } = page;
  const desk = deskOf(details.id);
  const least = higher(details.minimumNextBid, standing?.minimumNextBid);
  const isOutside = !details.supportsGuest && fanfare.auth.session()?.type !== "authenticated";
  const form = fields(seen, least);
  const state = standing?.bidStatus ?? "NONE";
  const seconds = details.closeAt ? (Date.parse(details.closeAt) - now) / 1000 : null;
  const own = ownBids(seen);
  const buyNow = () => {
    desk.isBuying = true;
    seen.redraw();
  };
  return {
    view: "bidding",
    title: state === "OUTBID" ? words.phrase("auction-heading-OUTBID") : "",
    filling: {
      text: {
        ...about(seen),
        ...form.text,
        above: state === "NONE" ? page.experience.name : details.name,
        heading: words.phrase(`auction-heading-${state}`) || details.name,
        left: seconds === null ? null : words.until(seconds),
        least: least && words.phrase("auction-least", { least: words.amount(least, details.currencyCode) }),
        moved: moved(seen),
        state: words.phrase(`auction-state-${state}`, ownAmounts(seen)),
        problem: seen.refusal && problemOf(page, seen.refusal),
        form: isOutside ? null : "1",
        sign: isOutside ? "1" : null,
        buy: isOutside ? null : buyPhrase(seen),
        own: own.length ? "1" : null,
      },
      ...(form.values ? { values: form.values } : {}),
      lists: { own },
      does: { bid: (typed) => bid(seen, typed), buying: buyNow, sign: () => signIn(page) },
    },
    says: desk.problem?.words ?? words.phrase(`auction-says-${state}`),
    mentions: seconds !== null && seconds < 60 ? words.phrase("says-left", { time: words.spoken(seconds) }) : words.phrase("auction-says-price", { price: price(seen) }),
  };
}

/** What every view tells of it. */
function about(seen: AuctionSeen): Filling["text"] & object {
  const { details, isBusy, page } = seen;
  const { words } = page;
  const { bidCount, currentHighBid, reserveMet, winnerCount, closeAt, settleAt } = details;
  return {
    name: details.name,
    message: seen.standing?.message ?? details.message,
    busy: isBusy ? "1" : null,
    currency: details.currencyCode,
    price: price(seen),
    what: words.phrase(currentHighBid === null ? "auction-starting" : "auction-price"),
    bids: bidCount === 0 ? words.phrase("auction-no-bids") : words.number(bidCount),
    reserve: reserveMet || seen.standing?.bidStatus === "WINNING" ? null : words.phrase("auction-reserve"),
    winners: winnerCount > 1 ? words.phrase("auction-winners", { winners: words.number(winnerCount) }) : null,
    at: closeAt && words.instant(closeAt, "short"),
    extends: details.extensionsLeft === 0 || !details.extensionSeconds ? null : words.phrase("auction-extends", {
      window: words.spoken(details.extensionWindowSeconds ?? 0),
      time: words.spoken(details.extensionSeconds),
    }),
    settles: settleAt && Date.parse(settleAt) > seen.now ? words.instant(settleAt) : null,
    buyNow: details.buyNowPrice && words.amount(details.buyNowPrice, details.currencyCode),
    final: currentHighBid && words.amount(currentHighBid, details.currencyCode),
  };
}

/** The bidder's own status may be newer than what is known of the auction, or older; prices only rise. */
function price({ details, standing, page }: AuctionSeen): string {
  const high = higher(details.currentHighBid, standing?.currentHighBid);
  return page.words.amount(high ?? details.startingPrice, details.currencyCode);
}

function higher(one: string | null | undefined, other: string | null | undefined): string | null {
  if (!one || !other) return one ?? other ?? null;
  return compareAmounts(one, other) < 0 ? other : one;
}

function ownAmounts({ details, standing, page }: AuctionSeen): Record<string, string> {
  const own = standing?.currentBid ?? standing?.lastBidAmount;
  return { own: own ? page.words.amount(own, details.currencyCode) : "" };
}

function buyPhrase({ details, page: { words } }: AuctionSeen): string | null {
  const { buyNowPrice, currencyCode } = details;
  return buyNowPrice && words.phrase("auction-buy", { price: words.amount(buyNowPrice, currencyCode) });
}

/** For a while after a bid has put off the closing, that it has. */
function moved({ details, now, page }: AuctionSeen): string | null {
  const desk = deskOf(details.id);
  const before = desk.closeAt;
  desk.closeAt = details.closeAt;
  if (before && details.closeAt && Date.parse(details.closeAt) > Date.parse(before)) desk.movedUntil = now + MOVED_MS;
  return now < desk.movedUntil ? page.words.phrase("auction-moved") : null;
}

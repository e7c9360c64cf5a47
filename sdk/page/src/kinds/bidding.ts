/** Bidding: what was typed, what became of it, and one's own bids so far. */

import { FanfareError, type Auction, type AuctionStatus, type OwnBids } from "@fanfare/sdk-core";
import { fieldAmount, typedAmount } from "../amounts";
import type { Filling, Suggestion } from "../stage";
import type { Details, Seen, Standing } from "./kind";

export type AuctionSeen = Seen<Auction & Details, AuctionStatus & Standing>;

/** What is wrong with a field. */
interface Problem {
  field: "amount" | "maximum";
  words: string;
  /** The least that would do. */
  least: string | null;
}

/** What the page remembers of one auction while it is open. */
interface Desk {
  problem: Problem | null;
  isBuying: boolean;
  /** The bid that was sent last, with the key by which it counts once; null when it was answered. */
  sent: { amount: string; maxAmount: string | undefined; idempotencyKey: string } | null;
  closeAt: string | null;
  /** Until when it is told that the closing moved; milliseconds. */
  movedUntil: number;
  own: OwnBids["data"];
  /** As of which bid `own` is. */
  ownAs: string;
}

const REMEMBERED_MS = 1_200; // how long the server may tell of the auction as it was

const desks = new Map<string, Desk>();

export function deskOf(id: string): Desk {
  const kept = desks.get(id);
  if (kept) return kept;
  const desk: Desk = { problem: null, isBuying: false, sent: null, closeAt: null, movedUntil: 0, own: [], ownAs: "" };
  desks.set(id, desk);
  return desk;
}

export function bid(seen: AuctionSeen, form: FormData): void {
  const [amount, maxAmount] = [read(seen, form, "amount"), read(seen, form, "maximum")];
  const wrong = amount === null ? "amount" : maxAmount === null ? "maximum" : null;
  const problem = wrong && { field: wrong, words: seen.page.words.phrase("auction-no-amount"), least: null } as const;
  deskOf(seen.details.id).problem = problem;
  if (amount && !problem) send(seen, amount, maxAmount ?? undefined);
  else seen.redraw();
}

/** Null: what was typed is no amount; undefined: nothing was. */
function read({ details, page }: AuctionSeen, form: FormData, field: Problem["field"]): string | null | undefined {
  const typed = form.get(field);
  if (typeof typed !== "string" || typed.trim() === "") return undefined;
  try {
    return typedAmount(typed, details.currencyCode, page.told.language);
  } catch {
    return null;
  }
}

export function buy(seen: AuctionSeen): void {
  const { buyNowPrice } = seen.details;
  deskOf(seen.details.id).isBuying = false;
  if (buyNowPrice !== null) send(seen, buyNowPrice, undefined);
}

/** However often it is tried, it is one bid. */
function send(seen: AuctionSeen, amount: string, maxAmount: string | undefined): void {
  const { details, page, attempt, refresh } = seen;
  const desk = deskOf(details.id);
  desk.problem = null;
  const isSame = desk.sent?.amount === amount && desk.sent.maxAmount === maxAmount;
  const sent = (desk.sent = isSame && desk.sent ? desk.sent : { amount, maxAmount, idempotencyKey: randomKey() });
  attempt(async () => {
    try {
      await page.fanfare.auctions.bid(details.id, sent);
      desk.sent = null;
      refresh();
      setTimeout(refresh, REMEMBERED_MS); // the closing may have moved, which the first answer may not know yet
    } catch (error) {
      const problem = error instanceof FanfareError ? problemOf(seen, error) : null;
      if (error instanceof FanfareError && error.status < 500) desk.sent = null;
      if (!problem) throw error;
      desk.problem = problem;
      refresh();
    }
  });
}

/** What a refusal says of a field; null: it is about something else. */
function problemOf({ details, page }: AuctionSeen, error: FanfareError): Problem | null {
  const least = error.extra.minimumNextBid;
  if (typeof least === "string") {
    const written = page.words.amount(least, details.currencyCode);
    return { field: "amount", words: page.words.phrase(`auction-${error.code}`, { least: written }), least };
  }
  if (error.code !== "VALIDATION_FAILED") return null;
  const isMaximum = error.details.every(({ field }) => field.startsWith("max"));
  const phrase = isMaximum ? "auction-maximum-too-low" : "auction-no-amount";
  return { field: isMaximum ? "maximum" : "amount", words: page.words.phrase(phrase), least: null };
}

/** The fields: the least that would do, until something else is typed; cleared by a bid that was taken. */
export function fields(seen: AuctionSeen, least: string | null): Pick<Filling, "text" | "values"> {
  const { problem } = deskOf(seen.details.id);
  const taken = seen.standing?.lastBidTime ?? "";
  const { language } = seen.page.told;
  const isAbout = (field: Problem["field"]) => problem?.field === field;
  const because = (field: Problem["field"]) => (isAbout(field) && !problem?.least ? undefined : taken);
  const amount: Suggestion = {
    text: fieldAmount(problem?.least ?? least ?? "", language),
    because: problem?.least ? problem : because("amount"),
    isWrong: isAbout("amount"),
  };
  const maximum: Suggestion = { text: "", because: taken, isWrong: isAbout("maximum") };
  return {
    text: {
      amountProblem: isAbout("amount") ? problem?.words : null,
      maximumProblem: isAbout("maximum") ? problem?.words : null,
    },
    values: seen.isBusy ? {} : { amount, maximum },
  };
}

/** One's own bids, fetched anew after each. */
export function ownBids(seen: AuctionSeen): Filling[] {
  const { details, page, standing, redraw } = seen;
  const desk = deskOf(details.id);
  const as = `${standing?.consumerId ?? ""} ${standing?.lastBidTime ?? ""} ${standing?.status ?? ""}`;
  if (standing && desk.ownAs !== as) {
    desk.ownAs = as;
    const fetched = page.fanfare.auctions.history(details.id, { limit: 20 });
    fetched.then(({ data }) => {
      desk.own = data;
      redraw();
    }, () => (desk.ownAs = ""));
  }
  return desk.own.map(({ amount, at, kind, state }) => ({
    text: {
      amount: page.words.amount(amount, details.currencyCode),
      at: page.words.time(at),
      what: page.words.phrase(`auction-bid-${state === "VALID" ? kind : state}`),
    },
  }));
}

function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

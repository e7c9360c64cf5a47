/** A draw: one enters, waits for it, and may check it. */

import type { Draw, DrawStatus } from "@fanfare/sdk-core";
import type { Filling } from "../stage";
import { adding } from "./adding";
import { checking, offer, receiptOf, saveReceipt, type DrawSeen } from "./checking";
import type { Details, Kind, Shown, Standing } from "./kind";
import { shared } from "./shared";

export const draw: Kind<Draw & Details, DrawStatus & Standing> = {
  name: "draw",
  client: (fanfare) => fanfare.draws,
  show(given) {
    const checked = checking(given);
    if (checked) return checked;
    const isDue = given.now >= Date.parse(given.details.drawAt) && given.phase !== "DRAWN";
    const seen = { ...given, phase: isDue ? "CLOSED" : given.phase };
    const { standing, refusal, phase } = seen;
    if (standing?.status === "QUEUED") return waiting(seen);
    if (!standing && !refusal && phase === "OPEN") return outside(seen);
    if (!standing && !refusal && phase === "CLOSED") return closed(seen);
    const isOver = phase === "DRAWN" && !standing;
    const shown = shared(draw, isOver ? { ...seen, phase: "CLOSED" } : seen);
    return adding(isOver ? { ...shown, view: "over" } : shown, phase === "DRAWN" ? after(seen) : {});
  },
};

/** Who has not entered, while one can. */
function outside(seen: DrawSeen): Shown {
  const enter = () => seen.attempt(() => seen.page.fanfare.draws.enter(seen.details.id));
  return { view: "enter", filling: { text: facts(seen), does: { enter } } };
}

/** Who has not entered, and can't any more. */
function closed(seen: DrawSeen): Shown {
  const shown = adding(shared(draw, { ...seen, phase: "CLOSED" }), { text: facts(seen) });
  return { ...shown, says: seen.page.words.phrase("says-closed") };
}

function waiting(seen: DrawSeen): Shown {
  const { details, standing, phase, now, page } = seen;
  const entry = standing?.entryNumber === undefined ? null : page.words.number(standing.entryNumber);
  const text = { ...facts(seen), entry, receipt: receiptOf(seen) && "1", tickets: tickets(seen) };
  const receipt = () => saveReceipt(seen);
  if (phase === "DRAWN") {
    const filling = { text: { ...text, ends: details.endAt && page.words.instant(details.endAt) }, does: { receipt } };
    return adding({ view: "alternate", filling, says: page.words.phrase("draw-alternate") }, offer(seen));
  }
  if (now >= Date.parse(details.drawAt)) {
    return { view: "drawing", filling: { text: { ...text, beacon: beacon(seen) }, does: { receipt } }, says: page.words.phrase("draw-drawing") };
  }
  const leave = () => seen.attempt(() => page.fanfare.draws.leave(details.id));
  return {
    view: "entered",
    filling: { text: { ...text, leave: phase === "OPEN" ? "1" : null }, does: { receipt, leave } },
    says: page.words.phrase("draw-entered", { entry: entry ?? "" }),
  };
}

/** What there is to know beforehand. */
function facts({ details, standing, isBusy, now, page: { words } }: DrawSeen): Filling["text"] & object {
  const { drawAt, closeAt, winnerCount, entrantCount, verification, commitment, weights } = details;
  return {
    name: details.name,
    message: standing?.message ?? details.message,
    busy: isBusy ? "1" : null,
    left: words.until((Date.parse(drawAt) - now) / 1000),
    at: words.instant(drawAt, "short"),
    closes: closeAt && Date.parse(closeAt) < Date.parse(drawAt) && now < Date.parse(closeAt) ? words.instant(closeAt, "short") : null,
    winners: words.number(winnerCount),
    entrants: words.number(Math.max(entrantCount, standing ? 1 : 0)), // which may be older than their own entry
    weighted: weights.length ? words.phrase("draw-weighted") : null,
    proves: words.phrase(`draw-level-${verification.level}`),
    commitment,
  };
}

function tickets(seen: DrawSeen): string | null {
  const weight = receiptOf(seen)?.weight ?? 1;
  const { words } = seen.page;
  return weight > 1 ? words.phrase("draw-tickets", { tickets: words.number(weight) }) : null;
}

/** What it waits for, where that is a public number. */
function beacon({ details: { verification }, page: { words } }: DrawSeen): string | null {
  const named = verification.beacon;
  return named ? words.phrase("draw-beacon", { round: words.number(named.round), at: words.instant(named.roundAt) }) : null;
}

function after(seen: DrawSeen): Filling {
  const { words } = seen.page;
  const { entrantCount, winnerCount, verification } = seen.details;
  const entry = receiptOf(seen)?.entryNumber;
  const text = {
    entry: entry === undefined ? null : words.number(entry),
    entrants: words.number(verification.entryCount ?? entrantCount),
    winners: words.number(winnerCount),
  };
  return adding({ view: "", filling: offer(seen) }, { text }).filling;
}

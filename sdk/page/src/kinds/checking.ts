/** Checking a draw in the page: the proof is fetched, and its own script computes it anew. */

import type { Draw, DrawStatus, Proof, Schemas } from "@fanfare/sdk-core";
import { keep, recall } from "../keeping";
import { wholeProof } from "../proof";
import { save } from "../saving";
import type { Filling } from "../stage";
import type { Json, Verdict } from "../verify";
import type { Details, Seen, Shown, Standing } from "./kind";

export type DrawSeen = Seen<Draw & Details, DrawStatus & Standing>;
type Receipt = Schemas["Receipt"];

interface Verifier {
  verify: (proof: Json, receipt: Json | undefined, progress: (share: number) => void) => Promise<Verdict>;
}

/** How far the check of one draw is. */
interface Check {
  isShown: boolean;
  /** Of fetching, then of computing; null: not underway. */
  step: "fetching" | "computing" | null;
  share: number;
  proof: Proof | null;
  verdict: Verdict | null;
  hasFailed: boolean;
}

const NEW: Check = { isShown: true, step: null, share: 0, proof: null, verdict: null, hasFailed: false };
const checks = new Map<string, Check>();

/** The receipt of this status, or the one that was kept of an earlier visit. */
export function receiptOf({ details, standing }: DrawSeen): Receipt | null {
  const name = `fanfare-page:${details.id}:receipt`;
  const kept = recall(name) as Receipt | null;
  const receipt = standing?.receipt ?? kept;
  if (receipt && receipt.token !== kept?.token) keep(name, receipt);
  return receipt;
}

export function saveReceipt(seen: DrawSeen): void {
  save(`receipt-${seen.details.id}.json`, receiptOf(seen));
}

/** The way to the check, for a view that offers it. */
export function offer(seen: DrawSeen): Filling {
  return {
    text: { check: "1", receipt: receiptOf(seen) && "1" },
    does: { check: () => void begin(seen), receipt: () => saveReceipt(seen) },
  };
}

/** Null: the visitor is not at it. */
export function checking(seen: DrawSeen): Shown | null {
  const check = checks.get(seen.details.id);
  if (!check?.isShown) return null;
  const { words } = seen.page;
  const { step, verdict, proof, share } = check;
  const told = verdict ? words.phrase(`draw-verdict-${verdict.is}`) : "";
  const isBad = verdict?.is === "FAILED" || verdict?.is === "UNUSABLE" || check.hasFailed;
  return {
    view: "check",
    filling: {
      text: {
        name: seen.details.name,
        step: step && words.phrase(`draw-${step}`),
        verdict: told || (check.hasFailed ? words.phrase("draw-unfetched") : null),
        good: verdict && !isBad ? "1" : null,
        bad: isBad ? "1" : null,
        size: proof?.entryCount === undefined ? null : words.phrase("draw-checked", { entries: words.number(proof.entryCount) }),
        proves: words.phrase(`draw-level-${proof?.level ?? seen.details.verification.level}`),
        summary: verdict?.summary,
        proof: proof && "1",
        receipt: receiptOf(seen) && "1",
        beacon: verdict?.beaconUrl,
        again: step ? null : "1",
      },
      bars: { share },
      links: verdict?.beaconUrl ? { beacon: verdict.beaconUrl } : {},
      lists: { findings: (verdict?.findings ?? []).map(({ kind, text }) => ({ text: { kind, text } })) },
      does: {
        again: () => void begin(seen),
        proof: () => save(`proof-${seen.details.id}.json`, proof),
        receipt: () => saveReceipt(seen),
        back: () => end(seen),
      },
    },
    says: told,
  };
}

function end({ details, redraw }: DrawSeen): void {
  checks.delete(details.id);
  redraw();
}

async function begin(seen: DrawSeen): Promise<void> {
  const { page, details, redraw } = seen;
  if (checks.get(details.id)?.step) return;
  const check: Check = { ...NEW, step: "fetching" };
  checks.set(details.id, check);
  redraw();
  const progress = (share: number) => {
    check.share = share;
    redraw();
  };
  try {
    check.proof = await wholeProof(page, details.id, progress);
    check.step = "computing";
    const { verify } = (await import(page.told.verifyUrl)) as Verifier;
    const [proof, receipt] = [check.proof, receiptOf(seen)] as unknown as [Json, Json | null];
    check.verdict = await verify(proof, receipt ?? undefined, progress);
  } catch {
    check.hasFailed = true;
  }
  check.step = null;
  redraw();
}

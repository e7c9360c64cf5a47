/** Checks a draw from its published proof, as `verify_draw.py` does. Its own file: loaded when somebody asks. */

import { beaconUrl, checkDraw, checkLevel } from "./drawing";
import { Findings, type Finding } from "./findings";
import { object, text, type Json, type JsonObject } from "./json";
import { checkReceipt } from "./receipt";

export type { Finding } from "./findings";
export type { Json } from "./json";

export interface Verdict {
  /** Whether nothing failed and all is drawn; nothing failed so far; something failed; it can't be used. */
  is: "VERIFIED" | "UNDRAWN" | "FAILED" | "UNUSABLE";
  /** As `verify_draw.py` says it. */
  summary: string;
  findings: Finding[];
  /** Where to compare a beacon's value. */
  beaconUrl?: string;
}

/** Never rejects: what can't be used is a verdict too. `progress`: the share that is done. */
export async function verify(
  given: Json,
  receipt: Json | undefined,
  progress: (share: number) => void = () => undefined,
): Promise<Verdict> {
  const findings = new Findings();
  try {
    const proof = object(given);
    await check(proof, receipt, findings, progress);
    return { ...concluded(proof, findings), findings: findings.all };
  } catch (problem) {
    const { name, message } = problem as Error;
    return { is: "UNUSABLE", summary: `cannot use it: ${name} ${message}`, findings: findings.all };
  }
}

async function check(
  proof: JsonObject,
  receipt: Json | undefined,
  findings: Findings,
  progress: (share: number) => void,
): Promise<void> {
  const [id, status, commitment] = [text(proof.id), text(proof.status), text(proof.commitment)];
  findings.note(`'${id}', '${status}', committed to '${commitment}'`);
  findings.check("known", proof, { version: 1, kind: proof.kind === "queue" ? "queue" : "draw" });
  findings.check("shown, as the status says", { seed: "seed" in proof }, { seed: status === "DRAWN" });
  const randomness = await checkLevel(proof, findings);
  const size = proof.entries ? object(proof.entries).data : [];
  const steps = 2 * (Array.isArray(size) ? size.length : 0) || 1;
  const isFrozen = "root" in proof || "seed" in proof;
  const order = isFrozen ? await checkDraw(proof, randomness, findings, (done) => progress(done / steps)) : [];
  if (receipt !== undefined) await checkReceipt(proof, object(receipt), order, findings);
  progress(1);
}

function concluded(proof: JsonObject, findings: Findings): Omit<Verdict, "findings"> {
  const { failures } = findings;
  if (failures > 0) return { is: "FAILED", summary: `FAILED: ${failures} claims do not hold` };
  if (!("seed" in proof)) return { is: "UNDRAWN", summary: "Nothing failed, but it has not been drawn" };
  const round = proof.beacon ? object(proof.beacon).round : undefined;
  return { is: "VERIFIED", summary: "VERIFIED", ...(typeof round === "number" ? { beaconUrl: beaconUrl(round) } : {}) };
}

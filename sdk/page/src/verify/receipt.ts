/** Whether a receipt is of this draw as it was announced, its entry in the list, and how that fared. */

import type { Findings } from "./findings";
import { hex, sha256, unhex } from "./hashing";
import { list, object, text, whole, type Json, type JsonObject } from "./json";

export async function checkReceipt(
  proof: JsonObject,
  receipt: JsonObject,
  order: number[],
  findings: Findings,
): Promise<void> {
  const said = claims(text(object(receipt.receipt ?? receipt).token));
  const what = "as your receipt has it";
  findings.check(what, said, { distributionId: proof.id ?? null, commitment: proof.commitment ?? null });
  if (proof.kind === "draw") {
    const { chain, round } = proof.beacon ? object(proof.beacon) : {};
    const beacon = proof.beacon ? { chain: chain ?? null, round: round ?? null } : (proof.beacon ?? null);
    findings.check(what, said, { winnerCount: proof.winnerCount ?? null, beacon });
  }
  findings.note("check_receipt.py checks whether the receipt is signed, and so is evidence");
  const number = whole(said.entryNumber);
  const mark = hex(await sha256("fanfare/mark/1", unhex(text(said.entryId))));
  if ("root" in proof) {
    const own = `your entry number ${number}`;
    const line = list(object(proof.entries).data).slice(number - 1, number);
    findings.check("in the frozen list", { [own]: line }, { [own]: [`${whole(said.weight)} ${mark}`] });
  }
  const place = order.indexOf(number) + 1;
  if (place === 0) return;
  const hasWon = proof.kind === "draw" && place <= whole(proof.winnerCount);
  findings.note(`your entry ${hasWon ? "won: it " : ""}has place ${place} in the drawn order`);
}

/** What a token says; who signed it is not asked here. */
function claims(token: string): JsonObject {
  const body = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(body), (one) => one.charCodeAt(0));
  return object(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Json);
}

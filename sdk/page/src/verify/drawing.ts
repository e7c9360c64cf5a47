/** A proof checked by computing anew whatever follows from something else: `verify_draw.py`, for the browser. */

import type { Findings } from "./findings";
import { each, hex, joined, mac, sha256, u64, unhex, type Bytes, type Progress } from "./hashing";
import { list, object, text, whole, type Json, type JsonObject } from "./json";

const LINE = /^(?:([1-9][0-9]?|100) ([0-9a-f]{64})|0 ([A-Z0-9_]{1,64}))$/; // weight, mark; or reason
const QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"; // drand's, a round each 3 s
const QUICKNET_FROM = 1692803367; // its first round, by seconds
const NOTHING = new Uint8Array(0);

/** Weight and mark of an entry; of one that was removed only the reason. */
interface Entry {
  weight: number;
  mark: string;
  reason: string;
}

/** Whether a beacon's round was due after the freeze; and its randomness, once that is needed. */
export async function checkLevel(proof: JsonObject, findings: Findings): Promise<Bytes> {
  let [level, randomness] = ["commit-reveal", NOTHING];
  if (proof.beacon !== undefined && proof.beacon !== null) {
    const beacon = object(proof.beacon);
    const number = whole(beacon.round);
    const due = new Date((QUICKNET_FROM + 3 * (number - 1)) * 1000).toISOString().slice(0, 19);
    findings.check("as quicknet has it", beacon, { source: "drand", chain: QUICKNET, round: number, roundAt: `${due}Z` });
    if ("seed" in proof) {
      randomness = await sha256(unhex(text(beacon.signature)));
      findings.check("SHA-256(signature)", beacon, { randomness: hex(randomness) });
      findings.note(`compare the signature with ${beaconUrl(number)}`);
    }
    if (!("root" in proof) || instant(text(proof.frozenAt)) < instant(due)) {
      level = "beacon";
      findings.note("root, winnerCount and round should have been public before: see what you saved");
    }
  }
  findings.check("what freeze and beacon allow", proof, { level });
  return randomness;
}

export function beaconUrl(round: number): string {
  return `https://api.drand.sh/${QUICKNET}/public/${round}`;
}

function instant(at: string): number {
  const found = Date.parse(`${at.slice(0, 19)}Z`);
  if (Number.isNaN(found)) throw new TypeError("No time.");
  return found;
}

/** From the list to its root, and once it is drawn from there to the order of the numbers. `progress`: of both. */
export async function checkDraw(
  proof: JsonObject,
  randomness: Bytes,
  findings: Findings,
  progress: Progress,
): Promise<number[]> {
  const page = object(proof.entries);
  findings.check("that of a whole list, as /proof/file has it", page, { first: 1, nextCursor: null });
  const entries = list(page.data).map(read);
  const root = await rootOf(text(proof.id), entries, progress);
  const weights = new Map(entries.flatMap(({ weight }, index) => (weight ? [[index + 1, weight] as const] : [])));
  checkList(proof, entries, { root: hex(root), numbersGiven: entries.length, entryCount: weights.size }, findings);
  if (!("seed" in proof)) return [];
  const [seed, winners] = [unhex(text(proof.seed)), whole(proof.winnerCount)];
  findings.check("SHA-256(seed)", proof, { commitment: hex(await sha256(seed)) });
  const counts = joined([u64(weights.size), u64(winners)]);
  const key = await sha256("fanfare/key/1", seed, root, counts, randomness);
  const parts = "seed, root, entryCount, winnerCount and randomness";
  findings.check(`made of ${parts}`, proof, { drawKey: hex(key) });
  const ranks = await ranksOf(weights, key, (done) => progress(entries.length + done));
  const order = [...ranks.keys()].sort((one, other) => ((ranks.get(one) ?? "") < (ranks.get(other) ?? "") ? -1 : 1));
  if (proof.kind === "queue") findings.check("that of all entries", proof, { winnerCount: weights.size });
  else checkOrder(proof, order, ranks, findings);
  return order;
}

function read(line: Json): Entry {
  const [match, weight = "0", mark = "", reason = ""] = LINE.exec(text(line)) ?? [];
  if (match === undefined) throw new TypeError("No entry.");
  return { weight: Number(weight), mark, reason };
}

/** RFC 6962, 2.1: level by level two nodes are joined, an odd last one moves up. */
async function rootOf(id: string, entries: Entry[], progress: Progress): Promise<Bytes> {
  const reasons = [...new Set(entries.map(({ reason }) => reason))];
  const removed = await each(reasons, (reason) => sha256("fanfare/removed/1", reason));
  const marks = new Map(reasons.map((reason, index) => [reason, removed[index] ?? NOTHING]));
  const leaf = ({ weight, mark, reason }: Entry, index: number) =>
    sha256("\0fanfare/leaf/1", id, u64(index + 1), u64(weight), mark ? unhex(mark) : (marks.get(reason) ?? NOTHING));
  let nodes = await each(entries, leaf, progress);
  while (nodes.length > 1) {
    const pairs = Array.from({ length: nodes.length >> 1 }, (_, at) => 2 * at);
    const level = nodes;
    const made = await each(pairs, (at) => sha256("\x01", level[at] ?? NOTHING, level[at + 1] ?? NOTHING));
    nodes = [...made, ...level.slice(2 * made.length)];
  }
  return nodes[0] ?? sha256();
}

function checkList(proof: JsonObject, entries: Entry[], counted: Record<string, Json>, findings: Findings): void {
  findings.check("that of the list", proof, counted);
  const reasons = counts(entries.flatMap(({ reason }) => (reason ? [reason] : [])));
  const sizes = counts(entries.flatMap(({ weight }) => (weight ? [weight] : [])));
  const gone = { count: entries.filter(({ weight }) => !weight).length, reasons: Object.fromEntries(reasons) };
  const groups = list(proof.groups).map(object).map(({ weight, entries: size }) => [weight ?? null, size ?? null]);
  const found = [...sizes].sort(([one], [other]) => one - other);
  findings.check("that of the list", { ...proof, groups }, { removedBeforeDraw: gone, groups: found });
}

function counts<T>(all: T[]): Map<T, number> {
  const found = new Map<T, number>();
  for (const one of all) found.set(one, (found.get(one) ?? 0) + 1);
  return found;
}

/** Of each number, as hexadecimal: a weight is so many tickets, of which the best counts. */
async function ranksOf(weights: Map<number, number>, key: Bytes, progress: Progress): Promise<Map<number, string>> {
  const hmac = await mac(key);
  const best = async ([number, weight]: [number, number]): Promise<[number, string]> => {
    let rank = hex(await hmac(u64(number)));
    for (let ticket = 2; ticket <= weight; ticket++) {
      const other = hex(await hmac(joined([u64(number), u64(ticket)])));
      if (other < rank) rank = other;
    }
    return [number, rank];
  };
  return new Map(await each([...weights], best, progress));
}

function checkOrder(proof: JsonObject, order: number[], ranks: Map<number, string>, findings: Findings): void {
  const winners = whole(proof.winnerCount);
  const last = winners + list(proof.alternates).length;
  const places = order.slice(0, last).map((number) => ({ number, rank: ranks.get(number) ?? "" }));
  findings.check("what the drawn order begins with", proof, { winners: places.slice(0, winners) });
  findings.check("what follows there", proof, { alternates: places.slice(winners) });
  const reached = new Set(order.slice(0, whole(proof.placesOffered)));
  const passed = new Map<number, Json>();
  for (const one of list(proof.passedOver)) {
    const { number } = object(one);
    if (reached.has(whole(number))) passed.set(whole(number), one);
  }
  findings.check("within that order", proof, { placesOffered: reached.size, passedOver: [...passed.values()] });
}

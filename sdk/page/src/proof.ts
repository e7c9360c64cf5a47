/** A draw's proof with all of its entries, fetched page by page. */

import { FanfareError, type Proof } from "@fanfare/sdk-core";
import { pause } from "./attempts";
import type { Page } from "./page";

const LIMIT = 10_000; // entries in a page, and winners with alternates in the first

/** Rejects as the API does, once waiting makes no sense. `progress`: the share that is here. */
export async function wholeProof(page: Page, id: string, progress: (share: number) => void): Promise<Proof> {
  const fetched = (cursor?: string) => patiently(() => page.fanfare.draws.proof(id, { limit: LIMIT, cursor }));
  const proof = await fetched();
  const { entries, numbersGiven = 1, winners = [], alternates = [] } = proof;
  if (!entries) return proof;
  if (entries.nextCursor && winners.length + alternates.length === LIMIT) return patiently(() => file(page, id));
  const data = [...entries.data];
  for (let cursor = entries.nextCursor; cursor; ) {
    progress(data.length / numbersGiven);
    const { entries: more } = await fetched(cursor);
    for (const line of more?.data ?? []) data.push(line);
    cursor = more?.nextCursor ?? null;
  }
  return { ...proof, entries: { first: 1, data, nextCursor: null } };
}

/** The drawn order does not fit into a page: then all comes at once. */
async function file({ told, clock }: Page, id: string): Promise<Proof> {
  const headers = { "X-Publishable-Key": told.publishableKey };
  const answer = await clock.fetch(`${location.origin}/api/v1/draws/${id}/proof/file`, { headers });
  if (!answer.ok) throw new FanfareError(answer.status, {}, Number(answer.headers.get("Retry-After") ?? 0));
  return (await answer.json()) as Proof;
}

async function patiently<T>(what: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await what();
    } catch (error) {
      const seconds = pause(error, failures);
      if (seconds === null) throw error;
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }
}

/** Which distributions the page can show, and where to go on when there is nothing left. */

import type { Experience, Next, Sequence } from "@fanfare/sdk-core";
import { KINDS, type KindName } from "./kinds";
import type { Page, Place } from "./page";

/** All that a sequence offers, as far as the page has views for it. */
export function places(sequence: Sequence): Place[] {
  const names = Object.keys(KINDS) as KindName[];
  return names.flatMap((kind) => KINDS[kind].of(sequence).map(({ id, name }) => ({ kind, id, name, sequence })));
}

/** A distribution, or a sequence by the first that it offers. */
export function find(experience: Experience, id: string): Place | undefined {
  const all = experience.sequences.flatMap(places);
  return all.find((place) => place.id === id) ?? all.find((place) => place.sequence.id === id);
}

export function isThere(page: Page, next: Next): boolean {
  return find(page.experience, next.id) !== undefined;
}

/** Of who never entered, the server says nothing: as it says it of the others. */
export function follow(sequence: Sequence): Next | undefined {
  if (sequence.next) return { kind: "sequence", id: sequence.next };
  return sequence.waitlist ? { kind: "waitlist", id: sequence.waitlist.id } : undefined;
}

/** What all parts of the page work with. */

import type { Experience, Fanfare, Sequence } from "@fanfare/sdk-core";
import type { Announcer } from "./announcer";
import type { ServerClock } from "./clock";
import type { KindName } from "./kinds";
import type { Stage } from "./stage";
import type { Told } from "./told";
import type { Words } from "./words";

export interface Page {
  readonly told: Told;
  readonly fanfare: Fanfare;
  readonly clock: ServerClock;
  readonly words: Words;
  readonly stage: Stage;
  readonly announcer: Announcer;
  /** Set before anything of it is shown. */
  experience: Experience;
  /** Ends what is shown now; whoever shows something else calls it first. */
  close: () => void;
  /** Show the distribution, choice or door that the address and the visitor's standing lead to. */
  route: () => Promise<void>;
  /** Show this one, and have the address say so. */
  open: (id: string) => void;
}

/** All distributions of a sequence that the page has views for, with their kind's name. */
export interface Place {
  kind: KindName;
  id: string;
  name: string;
  sequence: Sequence;
}

export const HERE = "at"; // the address's parameter that names a distribution or a sequence

/** Have the address name this distribution or sequence, or none. */
export function pin(id: string | null): void {
  history.replaceState(null, "", addressOf(id));
}

/** This page's, with that distribution. */
export function addressOf(id: string | null): URL {
  const address = new URL(location.href);
  if (id === null) address.searchParams.delete(HERE);
  else address.searchParams.set(HERE, id);
  return address;
}

/** Of the window: what matters most first. */
export function title(page: Page, start: string): void {
  document.title = start ? `${start} · ${page.experience.name}` : page.experience.name;
}

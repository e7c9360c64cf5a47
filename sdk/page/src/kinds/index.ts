/** The kinds that the page has views for, in the order in which a choice offers them. A kind joins here. */

import type { Sequence } from "@fanfare/sdk-core";
import { appointment } from "./appointment";
import { auction } from "./auction";
import { draw } from "./draw";
import type { AnyKind } from "./kind";
import { queue } from "./queue";
import { timedRelease } from "./timed_release";
import { waitlist } from "./waitlist";

export interface Entry {
  kind: AnyKind;
  /** Where a sequence lists them. */
  of: (sequence: Sequence) => { id: string; name: string }[];
}

export const KINDS = {
  queue: { kind: queue, of: (sequence) => sequence.queues },
  draw: { kind: draw, of: (sequence) => sequence.draws },
  auction: { kind: auction, of: (sequence) => sequence.auctions },
  timed_release: { kind: timedRelease, of: (sequence) => sequence.timedReleases },
  appointment: { kind: appointment, of: (sequence) => sequence.appointments },
  waitlist: { kind: waitlist, of: (sequence) => (sequence.waitlist ? [sequence.waitlist] : []) },
} satisfies Record<string, Entry>;

export type KindName = keyof typeof KINDS;

/** `/waitlists/…`: to hear when there is something. A waitlist never grants access itself. */

import { Kind, type EnterOptions } from "./kinds";
import type { LeftWaitlist, Waitlist, WaitlistEntry, WaitlistStatus } from "./types";

/** A status says `isEntered: false` of whoever does not wait here, and nothing more. */
export class Waitlists extends Kind<Waitlist, WaitlistStatus> {
  protected readonly path = "waitlists";

  /** Be put on the list, or found there. */
  enter(id: string, { metadata }: EnterOptions = {}): Promise<WaitlistEntry> {
    const call = { method: "POST", path: this.at(id, "/enter"), body: { metadata }, repeatable: true } as const;
    return this.telling(id, this.api.asConsumer<WaitlistEntry>(call, { fingerprinted: true }));
  }

  /** Be taken off the list. */
  leave(id: string): Promise<LeftWaitlist> {
    const call = { method: "DELETE", path: this.at(id, "/leave"), repeatable: true } as const;
    return this.telling(id, this.api.asConsumer<LeftWaitlist>(call));
  }
}

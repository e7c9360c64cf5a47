/** `/waitlists/…`: to hear when there is something. A waitlist never grants access itself. */

import { Kind } from "./kinds";
import type { DistributionStatus } from "./types";

export interface Waitlist {
  id: string;
  name: string;
  sequenceId: string;
  experienceId: string;
}

/** A DistributionStatus where the consumer is on the list. */
export interface WaitlistStatus extends Partial<DistributionStatus> {
  waitlistId: string;
  isEntered?: boolean;
  notifiedAt?: string;
  /** Where those go on who were notified. */
  next?: { kind: string; id: string };
}

const NOTIFIED_SECONDS = 30; // word of it goes out by mail or SMS as well

export class Waitlists extends Kind<Waitlist, WaitlistStatus> {
  protected readonly path = "waitlists";

  /** Be put on the list, or found there. */
  enter(id: string): Promise<WaitlistStatus> {
    const call = { method: "POST", path: this.at(id, "/enter"), repeatable: true } as const;
    return this.telling(id, this.api.asConsumer<WaitlistStatus>(call, { fingerprinted: true }));
  }

  /** Be taken off the list. */
  leave(id: string): Promise<WaitlistStatus> {
    const call = { method: "DELETE", path: this.at(id, "/leave"), repeatable: true } as const;
    return this.telling(id, this.api.asConsumer<WaitlistStatus>(call));
  }

  protected override wait(status: WaitlistStatus | null): number | null {
    return super.wait(status) === null ? null : (status?.pollAfterSeconds ?? NOTIFIED_SECONDS);
  }
}

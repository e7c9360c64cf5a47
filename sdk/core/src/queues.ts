/** `/queues/…`, `/draws/…` and `/timed-releases/…`: one enters, waits or not, and may leave. */

import { Enterable, Provable } from "./kinds";
import type { Draw, DrawStatus, Queue, QueueStatus, TimedRelease, TimedReleaseStatus } from "./types";

export class Queues extends Provable<Queue, QueueStatus> {
  protected readonly path = "queues";
}

export class Draws extends Provable<Draw, DrawStatus> {
  protected readonly path = "draws";
}

export class TimedReleases extends Enterable<TimedRelease, TimedReleaseStatus> {
  protected readonly path = "timed-releases";
}

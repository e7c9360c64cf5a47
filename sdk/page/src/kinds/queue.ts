/** The waiting room. */

import type { Queue, QueueStatus } from "@fanfare/sdk-core";
import { keep, recall } from "../keeping";
import { tell, type Kept } from "../wait";
import type { Details, Kind, Seen, Shown, Standing } from "./kind";

type QueueSeen = Seen<Queue & Details, QueueStatus & Standing>;

/** What is kept of one wait, so that a reload shows the same progress. */
interface Room {
  enteredAt: string;
  first: number;
  wait: Kept | null;
}

export const queue: Kind<Queue & Details, QueueStatus & Standing> = {
  name: "queue",
  client: (fanfare) => fanfare.queues,
  show(seen) {
    if (seen.standing?.status !== "QUEUED") return null;
    return seen.standing.receipt && seen.phase === "PENDING" ? early(seen) : waiting(seen);
  },
};

/** Before opening, where the order will be drawn by lot. */
function early(seen: QueueSeen): Shown {
  const { words } = seen.page;
  const opens = seen.details.openAt;
  return {
    view: "early",
    filling: {
      text: {
        opens: opens && words.instant(opens),
        left: opens && words.left((Date.parse(opens) - seen.now) / 1000),
        name: seen.details.name,
        message: seen.details.message,
      },
      does: { leave: () => leave(seen) },
    },
    says: words.phrase("queue-early"),
  };
}

function waiting(seen: QueueSeen): Shown {
  const { words } = seen.page;
  const { details, standing, phase } = seen;
  const position = standing?.position ?? 1;
  const room = roomOf(seen, position);
  const isPaused = phase === "PAUSED";
  const range = isPaused ? null : expected(seen, room);
  const place = words.number(position);
  const wait = range && words.range(range.low, range.high);
  return {
    view: "waiting",
    title: place,
    filling: {
      text: {
        name: details.name,
        place,
        ahead: words.phrase(position === 1 ? "queue-next" : position === 2 ? "queue-one-ahead" : "queue-ahead", {
          ahead: words.number(position - 1),
        }),
        wait,
        why: range?.why && words.phrase(`queue-${range.why}`),
        unknown: wait || isPaused ? null : words.phrase("queue-by-hand"),
        paused: isPaused ? words.phrase("queue-paused") : null,
        message: standing?.message ?? details.message,
      },
      does: { leave: () => leave(seen) },
      bars: { progress: room.first <= 1 ? 1 : 1 - (position - 1) / room.first },
    },
    says: isPaused ? words.phrase("queue-paused") : range?.why ? words.phrase(`queue-${range.why}`) : "",
    mentions: words.phrase(wait ? "queue-says-wait" : "queue-says", { place, wait: wait ?? "" }),
  };
}

function leave({ page, details, attempt }: QueueSeen): void {
  attempt(() => page.fanfare.queues.leave(details.id));
}

/** Where they began; a place that was drawn anew counts from there. */
function roomOf({ details, standing }: QueueSeen, position: number): Room {
  const name = `fanfare-page:${details.id}`;
  const enteredAt = standing?.enteredAt ?? "";
  const kept = recall(name) as Room | null;
  const isSame = kept?.enteredAt === enteredAt && kept.first >= position;
  const room = isSame ? kept : { enteredAt, first: position, wait: kept?.enteredAt === enteredAt ? kept.wait : null };
  if (!isSame) keep(name, room);
  return room;
}

function expected({ details, standing, now }: QueueSeen, room: Room): ReturnType<typeof tell>[0] | null {
  const estimate = standing?.estimatedWaitTimeInSeconds;
  if (estimate === null || estimate === undefined) return null;
  const [range, wait] = tell(estimate, details.admissionRate, now, room.wait);
  if (wait.until !== room.wait?.until || wait.why !== room.wait.why) {
    keep(`fanfare-page:${details.id}`, { ...room, wait });
  }
  return range;
}

/** A hook for each kind of distribution: how the consumer stands, and what they can do. */

import { useMemo, useSyncExternalStore } from "react";
import type {
  Appointments, AppointmentStatus, Auction, Auctions, AuctionStatus, Bid, Cancelled, CancelOptions, Days, DrawStatus,
  EnterOptions, LeftWaitlist, QueueStatus, Slots, TimedReleaseStatus, WaitlistEntry, WaitlistStatus, Watched,
  WatchListener, Which,
} from "@fanfare/sdk-core";
import { actingOn, unlessEvent, type Occurrence, type Run } from "./actions";
import { useFanfare } from "./client";
import { nothing, useFollowed, type Steered, type Subject } from "./watched";

/** What all of these hooks give. */
export interface Standing<Status> {
  /** Null where the consumer never entered, or nothing is known yet. */
  status: Status | null;
  /** Nothing is known yet, or an action is underway. */
  isLoading: boolean;
  /** Of the last action if it failed, else of the last look; `isFanfareError` tells which. */
  error: Error | null;
}

/** Actions keep their identity, and never reject: they resolve to undefined where `error` says what went wrong. */
export interface Entering<Entered, Left = Entered> {
  /** Goes as `onClick={enter}`, too. */
  enter: (options?: EnterOptions | Occurrence) => Promise<Entered | undefined>;
  leave: () => Promise<Left | undefined>;
}

export interface Bidding {
  bid: (bid: Bid) => Promise<AuctionStatus | undefined>;
}

export interface Booking {
  slots: (days: Days) => Promise<Slots | undefined>;
  book: (which: Which) => Promise<AppointmentStatus | undefined>;
  rebook: (which: Which & { bookingId?: string }) => Promise<AppointmentStatus | undefined>;
  cancel: (options?: CancelOptions | Occurrence) => Promise<Cancelled | undefined>;
}

interface Watchable<Status> {
  watch(id: string, listener: WatchListener<Status>): () => void;
  snapshot(id: string): Watched<Status> | undefined;
}

interface Enterable<Entered, Left> {
  enter(id: string, options?: EnterOptions): Promise<Entered>;
  leave(id: string): Promise<Left>;
}

export function useQueue(queueId: string): Standing<QueueStatus> & Entering<QueueStatus> {
  return useStanding(useFanfare().queues, queueId, entering<QueueStatus, QueueStatus>);
}

export function useDraw(drawId: string): Standing<DrawStatus> & Entering<DrawStatus> {
  return useStanding(useFanfare().draws, drawId, entering<DrawStatus, DrawStatus>);
}

export function useTimedRelease(timedReleaseId: string): Standing<TimedReleaseStatus> & Entering<TimedReleaseStatus> {
  return useStanding(useFanfare().timedReleases, timedReleaseId, entering<TimedReleaseStatus, TimedReleaseStatus>);
}

export function useWaitlist(waitlistId: string): Standing<WaitlistStatus> & Entering<WaitlistEntry, LeftWaitlist> {
  return useStanding(useFanfare().waitlists, waitlistId, entering<WaitlistEntry, LeftWaitlist>);
}

/** `auction` is price and closing, for those who have not bid as well; null until it is known. */
export function useAuction(auctionId: string): Standing<AuctionStatus> & Bidding & { auction: Auction | null } {
  const { auctions } = useFanfare();
  const subject = useMemo<Subject<Auction>>(
    () => ({
      watch: (listener) => auctions.watchAuction(auctionId, listener),
      snapshot: () => auctions.snapshotAuction(auctionId),
    }),
    [auctions, auctionId],
  );
  const watched = useSyncExternalStore(subject.watch, subject.snapshot, nothing);
  const standing = useStanding(auctions, auctionId, bidding);
  return { ...standing, auction: watched?.value ?? null, error: standing.error ?? watched?.error ?? null };
}

export function useAppointment(appointmentId: string): Standing<AppointmentStatus> & Booking {
  return useStanding(useFanfare().appointments, appointmentId, booking);
}

/** `actionsOf` is the same function on every rendering. */
function useStanding<Status, Of extends object, Actions>(
  kind: Of & Watchable<Status>,
  id: string,
  actionsOf: (kind: Of, id: string, run: Run) => Actions,
): Standing<Status> & Actions {
  const subject = useMemo<Steered<Status>>(
    () => ({
      watch: (listener) => kind.watch(id, listener),
      snapshot: () => kind.snapshot(id),
      acting: actingOn(kind, id),
    }),
    [kind, id],
  );
  const { value, isLoading, error, run } = useFollowed(subject);
  const actions = useMemo(() => actionsOf(kind, id, run), [actionsOf, kind, id, run]);
  return { status: value, isLoading, error, ...actions };
}

function entering<Entered, Left>(kind: Enterable<Entered, Left>, id: string, run: Run): Entering<Entered, Left> {
  return {
    enter: (options) => run(() => kind.enter(id, unlessEvent(options))),
    leave: () => run(() => kind.leave(id)),
  };
}

function bidding(auctions: Auctions, id: string, run: Run): Bidding {
  return { bid: (bid) => run(() => auctions.bid(id, bid)) };
}

function booking(appointments: Appointments, id: string, run: Run): Booking {
  return {
    slots: (days) => run(() => appointments.slots(id, days)),
    book: (which) => run(() => appointments.book(id, which)),
    rebook: (which) => run(() => appointments.rebook(id, which)),
    cancel: (options) => run(() => appointments.cancel(id, unlessEvent(options))),
  };
}

/** What a kind says for itself: where its calls are, and what a visitor is shown. */

import type { DistributionStatus, EnterOptions, FanfareError, Fanfare, Sequence, WatchListener } from "@fanfare/sdk-core";
import type { Page } from "../page";
import type { Filling } from "../stage";

/** What every kind shows of itself. */
export interface Details {
  id: string;
  name: string;
  status: string;
  openAt: string | null;
  closeAt: string | null;
  timeZone: string;
  supportsGuest: boolean;
  enterFrom?: string;
  drawAt?: string;
  /** When looking again makes sense, where that is soon. */
  pollAfterSeconds?: number;
  message?: string | null;
}

export type Standing = DistributionStatus & { message?: string | null };

export interface Client<D, S> {
  get(id: string): Promise<D>;
  watch(id: string, listener: WatchListener<S>): () => void;
  enter(id: string, options?: EnterOptions): Promise<S>;
  leave(id: string): Promise<unknown>;
}

/** What is known at some instant. */
export interface Seen<D, S> {
  page: Page;
  sequence: Sequence;
  details: D;
  /** PENDING, OPEN, PAUSED, CLOSED and what else a kind has, by the server's clock. */
  phase: string;
  /** Null: they never entered. */
  standing: S | null;
  /** Of the last try to enter: full, sold out, closed. */
  refusal: FanfareError | null;
  /** Something is underway. */
  isBusy: boolean;
  /** The server's clock, in milliseconds. */
  now: number;
  /** As the shop's server wants it with the admission; null until it is known. */
  fingerprint: string | null;
  /** Look at the distribution again, now. */
  refresh: () => void;
  /** Show what is known again: the kind knows something more. */
  redraw: () => void;
  /** Forget the refusal. */
  dismiss: () => void;
  /** Do something that takes a session: signs a guest in, waits out a crowd, asks for what is missing. */
  attempt: (what: () => Promise<unknown>) => void;
}

export interface Shown {
  /** `waiting` is `queue-waiting` where the page has that, else what all kinds share. */
  view: string;
  filling: Filling;
  /** The beginning of the window's title. */
  title?: string;
  /** To be announced at once, when it changes. */
  says?: string;
  /** To be announced, but not too often. */
  mentions?: string;
}

export interface Kind<D extends Details, S extends Standing> {
  /** `queue`: what the names of its views begin with. */
  name: string;
  client(fanfare: Fanfare): Client<D, S>;
  /** What this kind shows in a way of its own; null: as all kinds do (`shared.ts`). */
  show(seen: Seen<D, S>): Shown | null;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- a table of kinds can't name each one's types
export type AnyKind = Kind<any, any>;

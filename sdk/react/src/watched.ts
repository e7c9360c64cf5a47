/** Something that is watched as long as a component shows it, once for all components. */

import { useSyncExternalStore } from "react";
import type { Watched } from "@fanfare/sdk-core";
import { IDLE, type Acting, type Run } from "./actions";

/** One thing; the same object on every rendering. */
export interface Subject<T> {
  readonly watch: (listener: () => void) => () => void;
  readonly snapshot: () => Watched<T> | undefined;
}

export interface Steered<T> extends Subject<T> {
  readonly acting: Acting;
}

export interface Followed<T> {
  /** Null where there is none, or nothing is known yet. */
  value: T | null;
  /** Nothing is known yet, or an action is underway. */
  isLoading: boolean;
  /** Of the last action if it failed, else of the last look. */
  error: Error | null;
  run: Run;
}

/** On a server, and until mounted, nothing is known and nothing asked. */
export function useFollowed<T>({ watch, snapshot, acting }: Steered<T>): Followed<T> {
  const watched = useSyncExternalStore(watch, snapshot, nothing);
  const { underway, error } = useSyncExternalStore(acting.watch, acting.snapshot, idle);
  return {
    value: watched?.value ?? null,
    isLoading: !watched || underway > 0,
    error: error ?? watched?.error ?? null,
    run: acting.run,
  };
}

function idle(): typeof IDLE {
  return IDLE;
}

export function nothing(): undefined {
  return undefined;
}

/** Watching: asking as often as advised, in one tab for all, and not at all where nobody looks. */

import { FanfareError, NetworkError, type Failure } from "./errors";
import { campaign } from "./tabs";

/** What is known: `value` is null where the consumer never entered; `error` is that of the last try. */
export interface Watched<T> {
  readonly value: T | null;
  readonly error: Failure | null;
}
export type WatchListener<T> = (watched: Watched<T>) => void;

export interface Source<T> {
  /** Tells tabs what they share; another one for another consumer. */
  name(): string;
  look(signal: AbortSignal): Promise<T | null>;
  /** Seconds until looking again makes sense; null: nothing more will happen by itself. */
  wait(value: T | null): number | null;
  /** Whether a new guest is news, though they stand nowhere yet. */
  isAboutGuests?: boolean;
}

const JITTER = 0.2;
const FIRST_BACKOFF_SECONDS = 2;
const LONGEST_BACKOFF_SECONDS = 60;
const LONGEST_TIMER_SECONDS = 3600; // a browser's timers end at 24 days
const SHORTEST_WAIT_SECONDS = 1; // whatever the server advises
const WAKING = ["visibilitychange", "pageshow", "online"];

export class Watcher<T> {
  private readonly listeners = new Set<WatchListener<T>>();
  private known: Watched<T> | undefined;
  /** Milliseconds by this device's clock; null: not at all. */
  private dueAt: number | null = 0;
  private waitMs = 0;
  private failures = 0;
  private hasLooked = false;
  private isLeader = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private looking: AbortController | undefined;
  private candidacy: (() => void) | undefined;

  /** `namespace`: of the tabs that hear what is shared. */
  constructor(
    private readonly namespace: string,
    private readonly source: Source<T>,
    private readonly share: (name: string, value: T | null) => void,
  ) {}

  /** What is known; the same object until something is heard. */
  get last(): Watched<T> | undefined {
    return this.known;
  }

  get name(): string {
    return this.source.name();
  }

  get isAboutGuests(): boolean {
    return this.source.isAboutGuests ?? false;
  }

  add(listener: WatchListener<T>): void {
    const isFirst = this.listeners.size === 0;
    this.listeners.add(listener);
    if (this.known) listener(this.known);
    if (!isFirst) return;
    for (const event of WAKING) target(event)?.addEventListener(event, this.onWake);
    this.plan();
  }

  /** Returns whether nobody is left, in which case nothing is asked any more. */
  remove(listener: WatchListener<T>): boolean {
    if (!this.listeners.delete(listener) || this.listeners.size > 0) return false;
    for (const event of WAKING) target(event)?.removeEventListener(event, this.onWake);
    this.cancelLook();
    this.plan();
    return true;
  }

  /** What an action was answered. */
  publish(value: T | null): void {
    this.take(value);
    this.share(this.name, value);
  }

  /** What another tab heard, or an action was answered: newer than what a look underway will say. */
  take(value: T | null): void {
    this.cancelLook();
    this.failures = 0;
    this.hasLooked = true;
    const wait = this.source.wait(value);
    this.due(wait === null ? null : sane(wait) * (1 + JITTER * (2 * Math.random() - 1)));
    const isNews = value !== null || this.known?.value !== null || this.known.error !== null;
    if (isNews) this.tell({ value, error: null });
    this.plan();
  }

  /** Look now: something has changed that the advice did not know of. */
  refresh(): void {
    this.cancelLook();
    this.resign();
    this.hasLooked = false;
    this.failures = 0;
    this.due(0);
    this.plan();
  }

  private readonly onWake = (event: Event): void => {
    const hasWaited = event.type === "online" && this.known?.error instanceof NetworkError;
    if (hasWaited && this.dueAt !== null) this.due(Math.random());
    this.plan();
  };

  /** The first look is each tab's own; then the leader looks, as long as it is visible. */
  private plan(): void {
    clearTimeout(this.timer);
    if (this.dueAt === null || this.listeners.size === 0 || isHidden()) {
      this.resign();
    } else if (!this.looking && this.hasLooked && !this.isLeader) {
      this.candidacy ??= campaign(`${this.namespace}:${this.name}`, this.onElected);
    } else if (!this.looking) {
      // Never longer than planned, whatever the device's clock has done meanwhile.
      const left = Math.min(Math.max(this.dueAt - Date.now(), 0), this.waitMs);
      this.timer = setTimeout(() => void this.look(), left);
    }
  }

  private readonly onElected = (): void => {
    this.isLeader = true;
    this.plan();
  };

  private resign(): void {
    this.isLeader = false;
    this.candidacy?.();
    this.candidacy = undefined;
  }

  private async look(): Promise<void> {
    const looking = (this.looking = new AbortController());
    const { name } = this;
    try {
      const value = await this.source.look(looking.signal);
      if (looking.signal.aborted) return;
      this.take(value);
      this.share(name, value);
    } catch (error) {
      if (looking.signal.aborted) return;
      this.looking = undefined;
      this.fail(error as Failure);
    }
  }

  private cancelLook(): void {
    this.looking?.abort();
    this.looking = undefined;
  }

  private fail(error: Failure): void {
    this.hasLooked = true;
    this.failures += 1;
    const told = error instanceof FanfareError ? (error.retryAfter ?? 0) : 0;
    const backoff = Math.min(FIRST_BACKOFF_SECONDS * 2 ** (this.failures - 1), LONGEST_BACKOFF_SECONDS);
    const spread = 1 + JITTER * Math.random(); // never before the server's time
    this.due(isFinal(error) ? null : Math.max(told, backoff) * spread);
    this.tell({ value: this.known?.value ?? null, error });
    this.plan();
  }

  private due(seconds: number | null): void {
    this.waitMs = Math.min(seconds ?? 0, LONGEST_TIMER_SECONDS) * 1000;
    this.dueAt = seconds === null ? null : Date.now() + this.waitMs;
  }

  private tell(watched: Watched<T>): void {
    this.known = watched;
    for (const listener of [...this.listeners]) {
      try {
        listener(watched);
      } catch (error) {
        console.error(error); // a listener's fault is not the others' loss
      }
    }
  }
}

/** A refusal that asking again does not change; what is not the API's, a proxy's page say, passes. */
function isFinal(error: Failure): boolean {
  if (!(error instanceof FanfareError) || error.code === "INVALID_RESPONSE") return false;
  return error.status >= 400 && error.status < 500 && ![408, 425, 429].includes(error.status);
}

function sane(seconds: number): number {
  return Number.isFinite(seconds) ? Math.max(seconds, SHORTEST_WAIT_SECONDS) : FIRST_BACKOFF_SECONDS;
}

function isHidden(): boolean {
  return typeof document !== "undefined" && document.hidden;
}

function target(event: string): EventTarget | undefined {
  if (event === "visibilitychange") return typeof document === "undefined" ? undefined : document;
  return typeof addEventListener === "undefined" ? undefined : globalThis;
}

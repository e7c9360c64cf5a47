/** What the tabs of one browser agree on: who goes first, who works for all, what one tells the others. */

import { randomText } from "./random";
import type { SafeStorage } from "./storage";

const LEASE_MS = 20_000; // longer than a request may take
const SETTLE_MS = 40; // two tabs that write at the same moment both see who was last

/** Do it while no other tab does: by Web Locks, or a lease in the shared storage, else at once. */
export async function exclusive<T>(name: string, storage: SafeStorage, task: () => Promise<T>): Promise<T> {
  let started: Promise<T> | undefined;
  try {
    const locks = locksOfBrowser();
    if (locks && storage.isShared) return await locks.request(name, () => (started = task()));
  } catch (error) {
    if (started) throw error; // the task's own; else the browser has locks and denies them
  }
  const release = storage.isShared ? await lease(storage) : () => undefined;
  try {
    return await task();
  } finally {
    release();
  }
}

/** Stand for leader, until the returned function is called; `onElected` is called once it's this tab's turn.
 *
 * Without Web Locks every tab is its own leader.
 */
export function campaign(name: string, onElected: () => void): () => void {
  const locks = locksOfBrowser();
  const abort = new AbortController();
  const elected = () => {
    if (!abort.signal.aborted) onElected();
  };
  let resign: () => void = () => undefined;
  const reign = () =>
    new Promise<void>((resolve) => {
      resign = resolve;
      elected();
    });
  if (locks) locks.request(name, { signal: abort.signal }, reign).catch(elected);
  else elected();
  return () => {
    abort.abort();
    resign();
  };
}

/** What tabs tell each other; without BroadcastChannel nothing. */
export interface Channel {
  post(message: unknown): void;
  close(): void;
}

export function openChannel(name: string, onMessage: (message: unknown) => void): Channel {
  if (typeof BroadcastChannel === "undefined") return { post: () => undefined, close: () => undefined };
  const channel = new BroadcastChannel(name);
  channel.onmessage = (event: MessageEvent<unknown>) => onMessage(event.data);
  (channel as { unref?: () => void }).unref?.(); // Node would wait for it
  return { post: (message) => channel.postMessage(message), close: () => channel.close() };
}

function locksOfBrowser(): LockManager | undefined {
  return typeof navigator === "undefined" ? undefined : navigator.locks;
}

/** Best effort where there are no locks; ends by itself if the tab dies. */
async function lease(storage: SafeStorage): Promise<() => void> {
  const mine = randomText(12);
  for (;;) {
    const [, until] = storage.getItem("lease")?.split(" ") ?? [];
    const left = Number(until ?? 0) - Date.now();
    if (!(left > 0 && left <= LEASE_MS)) {
      storage.setItem("lease", `${mine} ${Date.now() + LEASE_MS}`);
      await sleep(SETTLE_MS);
      if (isHeldBy(storage, mine)) return () => isHeldBy(storage, mine) && storage.removeItem("lease");
    }
    await sleep(SETTLE_MS * (1 + Math.random()));
  }
}

function isHeldBy(storage: SafeStorage, owner: string): boolean {
  return storage.getItem("lease")?.startsWith(`${owner} `) ?? false;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

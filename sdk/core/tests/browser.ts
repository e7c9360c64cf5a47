/** A browser that is not there: storage, page, locks and channels, shared by all clients of a test, as by tabs. */

import { vi } from "vitest";
import type { KeyValueStorage } from "../src/storage";

export class FakeStorage implements KeyValueStorage {
  readonly kept = new Map<string, string>();
  isBlocked = false;

  getItem(key: string): string | null {
    this.check();
    return this.kept.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.check();
    this.kept.set(key, value);
    window.dispatchEvent(Object.assign(new Event("storage"), { key }));
  }

  removeItem(key: string): void {
    this.check();
    this.kept.delete(key);
    window.dispatchEvent(Object.assign(new Event("storage"), { key }));
  }

  private check(): void {
    if (this.isBlocked) throw new DOMException("denied", "SecurityError");
  }
}

let window = new EventTarget();
let page = Object.assign(new EventTarget(), { hidden: false });

/** Puts a browser in place; `locks` and `channels` are what older ones lack. */
export function openBrowser({ locks = true, channels = true } = {}): FakeStorage {
  window = new EventTarget();
  page = Object.assign(new EventTarget(), { hidden: false });
  FakeChannel.open.clear();
  const storage = new FakeStorage();
  vi.stubGlobal("localStorage", storage);
  vi.stubGlobal("document", page);
  vi.stubGlobal("addEventListener", window.addEventListener.bind(window));
  vi.stubGlobal("removeEventListener", window.removeEventListener.bind(window));
  vi.stubGlobal("navigator", locks ? { locks: new FakeLocks() } : {});
  vi.stubGlobal("BroadcastChannel", channels ? FakeChannel : undefined);
  return storage;
}

export function setHidden(hidden: boolean): void {
  page.hidden = hidden;
  page.dispatchEvent(new Event("visibilitychange"));
}

export function comeOnline(): void {
  window.dispatchEvent(new Event("online"));
}

type Holder = () => Promise<unknown>;

export class FakeLocks {
  private readonly queues = new Map<string, Holder[]>();

  request(name: string, optionsOrHolder: Holder | { signal: AbortSignal }, holder?: Holder): Promise<unknown> {
    const held = typeof optionsOrHolder === "function" ? optionsOrHolder : holder!;
    const signal = typeof optionsOrHolder === "function" ? undefined : optionsOrHolder.signal;
    const queue = this.queues.get(name) ?? [];
    this.queues.set(name, queue);
    return new Promise((resolve, reject) => {
      const turn = async () => {
        await Promise.resolve();
        await held().then(resolve, reject);
        queue.shift();
        void queue[0]?.();
      };
      signal?.addEventListener("abort", () => {
        const index = queue.indexOf(turn);
        if (index > 0) queue.splice(index, 1);
        reject(new DOMException("aborted", "AbortError"));
      });
      if (queue.push(turn) === 1) void turn();
    });
  }
}

export class FakeChannel {
  static readonly open = new Set<FakeChannel>();
  onmessage: ((event: { data: unknown }) => void) | null = null;

  constructor(readonly name: string) {
    FakeChannel.open.add(this);
  }

  postMessage(message: unknown): void {
    for (const other of FakeChannel.open) {
      if (other === this || other.name !== this.name) continue;
      const data: unknown = structuredClone(message);
      queueMicrotask(() => other.onmessage?.({ data }));
    }
  }

  close(): void {
    FakeChannel.open.delete(this);
  }
}

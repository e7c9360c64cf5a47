/** All that one client watches: one watcher for each thing, however many listen. */

import type { Sessions } from "./session";
import { openChannel, type Channel } from "./tabs";
import type { Session } from "./types";
import { Watcher, type Source, type Watched, type WatchListener } from "./watch";

interface Message {
  name: string;
  value: unknown;
}

export class Watchers {
  // What a key names has one type, which only its kind knows.
  private readonly watchers = new Map<string, Watcher<never>>();
  private channel: Channel | undefined;
  private stopFollowing: (() => void) | undefined;
  private consumerId: string | undefined;

  constructor(
    private readonly namespace: string,
    private readonly sessions: Sessions,
  ) {}

  /** Listen until the returned function is called. `key` names what is watched in this tab. */
  watch<T>(key: string, source: Source<T>, listener: WatchListener<T>): () => void {
    this.open();
    const watcher = this.find<T>(key) ?? new Watcher<T>(this.namespace, source, this.share);
    this.watchers.set(key, watcher as unknown as Watcher<never>);
    const own: WatchListener<T> = (watched) => listener(watched); // the same function may listen twice
    watcher.add(own);
    return () => {
      if (!watcher.remove(own)) return;
      this.watchers.delete(key);
      if (this.watchers.size === 0) this.close();
    };
  }

  /** What is known of something that is watched. */
  snapshot<T>(key: string): Watched<T> | undefined {
    return this.find<T>(key)?.last;
  }

  /** What an action was answered. */
  publish(key: string, value: unknown): void {
    this.find(key)?.publish(value);
  }

  /** Look again at once, if it is watched. */
  refresh(key: string): void {
    this.find(key)?.refresh();
  }

  private find<T>(key: string): Watcher<T> | undefined {
    return this.watchers.get(key) as Watcher<T> | undefined;
  }

  private open(): void {
    if (this.channel) return;
    this.channel = openChannel(this.namespace, this.onMessage);
    this.consumerId = this.sessions.current()?.consumerId;
    this.stopFollowing = this.sessions.onChange(this.onSession);
  }

  private close(): void {
    this.channel?.close();
    this.channel = undefined;
    this.stopFollowing?.();
  }

  private readonly share = (name: string, value: unknown): void => {
    this.channel?.post({ name, value } satisfies Message);
  };

  private readonly onMessage = (message: unknown): void => {
    const { name, value } = (message ?? {}) as Message;
    for (const watcher of this.watchers.values()) {
      if (watcher.name === name) watcher.take(value as never);
    }
  };

  /** Somebody else stands elsewhere; but a new guest stands nowhere yet, and what they do next is told anyway. */
  private readonly onSession = (session: Session | null): void => {
    const before = this.consumerId;
    this.consumerId = session?.consumerId;
    const isNewGuest = before === undefined && session?.type === "guest";
    if (before === this.consumerId) return;
    for (const watcher of this.watchers.values()) {
      if (!isNewGuest || watcher.isAboutGuests) watcher.refresh();
    }
  };
}

/** What all kinds of distribution have in common: what it is, how the consumer stands, watching that, entering. */

import type { Api } from "./api";
import { FanfareError } from "./errors";
import { segment, type Call } from "./http";
import type { DistributionStatus, Proof } from "./types";
import type { Source, Watched, WatchListener } from "./watch";
import type { Watchers } from "./watchers";

/** Until an admission is used or has expired, which nothing but asking tells. */
const ADMITTED_SECONDS = 15;
const QUEUED_SECONDS = 10; // where the server gives no advice

export interface EnterOptions {
  /** Anything the shop wants kept; at most 2 KiB as JSON. */
  metadata?: Record<string, unknown> | undefined;
}

export interface PageOptions {
  limit?: number | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
}

export abstract class Kind<Details, Status extends Partial<DistributionStatus>> {
  /** Of the address, such as `queues`. */
  protected abstract readonly path: string;
  protected readonly admittedSeconds: number = ADMITTED_SECONDS;

  constructor(
    protected readonly api: Api,
    protected readonly watchers: Watchers,
  ) {}

  /** What anyone with a key may see. */
  get(id: string): Promise<Details> {
    return this.api.open<Details>(this.reads(id));
  }

  /** How the consumer stands. Rejects with a code that starts with CONSUMER_NOT_IN where they never entered. */
  status(id: string): Promise<Status> {
    return this.api.asConsumer<Status>(this.reads(id, "/status"));
  }

  /** Be told how the consumer stands, at once and with every change, until the returned function is called.
   *
   * `value` is null as long as they never entered; nobody is signed in as a guest just for that. Entering,
   * leaving and so on through this client, in any tab, are told as well.
   */
  watch(id: string, listener: WatchListener<Status>): () => void {
    return this.watchers.watch(this.at(id), this.source(id), listener);
  }

  /** What watchers of this id were told last: the same object until they are told anew. */
  snapshot(id: string): Watched<Status> | undefined {
    return this.watchers.snapshot<Status>(this.at(id));
  }

  protected at(id: string, verb = ""): string {
    return `/${this.path}/${segment(id)}${verb}`;
  }

  protected reads(id: string, verb = "", query?: object): Call {
    return { method: "GET", path: this.at(id, verb), query, repeatable: true };
  }

  /** Tell watchers what an action was answered. */
  protected async telling<Answer extends Status>(id: string, action: Promise<Answer>): Promise<Answer> {
    const status = await action;
    this.watchers.publish(this.at(id), status);
    return status;
  }

  /** Seconds until a status may differ; null: it is final. */
  protected wait(status: Status | null): number | null {
    if (status?.status === "QUEUED") return status.pollAfterSeconds ?? QUEUED_SECONDS;
    return status?.status === "ADMITTED" ? this.admittedSeconds : null;
  }

  private source(id: string): Source<Status> {
    const { sessions } = this.api;
    return {
      name: () => `${this.at(id)}:${sessions.current()?.consumerId ?? ""}`,
      look: async (signal) => {
        try {
          const call = { ...this.reads(id, "/status"), repeatable: false, signal };
          return await this.api.asConsumer<Status>(call, { opens: false });
        } catch (error) {
          // Without a session nothing was asked, or it has just ended.
          if (isNotEntered(error) || !sessions.current()) return null;
          throw error;
        }
      },
      wait: (status) => this.wait(status),
    };
  }
}

/** Kinds that one enters and leaves. */
export abstract class Enterable<Details, Status extends Partial<DistributionStatus>> extends Kind<Details, Status> {
  /** Enter, or find the participation there is. */
  enter(id: string, { metadata }: EnterOptions = {}): Promise<Status> {
    const call: Call = { method: "POST", path: this.at(id, "/enter"), body: { metadata }, repeatable: true };
    return this.telling(id, this.api.asConsumer<Status>(call, { fingerprinted: true }));
  }

  /** Give up the place or the admission. */
  leave(id: string): Promise<Status> {
    const call: Call = { method: "POST", path: this.at(id, "/leave"), repeatable: true };
    return this.telling(id, this.api.asConsumer<Status>(call));
  }
}

/** Kinds with an order drawn by lot. */
export abstract class Provable<Details, Status extends Partial<DistributionStatus>> extends Enterable<Details, Status> {
  /** What a third party needs to repeat the draw, a page of the entries at a time. */
  proof(id: string, page: PageOptions = {}): Promise<Proof> {
    return this.api.open<Proof>(this.reads(id, "/proof", page));
  }
}

function isNotEntered(error: unknown): boolean {
  return error instanceof FanfareError && error.code.startsWith("CONSUMER_NOT_IN_");
}

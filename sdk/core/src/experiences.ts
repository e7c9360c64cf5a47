/** `/experiences/…`, `/organizations/current` and `/consumers/me`. */

import type { Api } from "./api";
import { segment } from "./http";
import type { Consumer, Experience, Organization, Visit } from "./types";
import type { Source, Watched, WatchListener } from "./watch";
import type { Watchers } from "./watchers";

const ME = "/consumers/me";

export class Experiences {
  constructor(
    private readonly api: Api,
    private readonly watchers: Watchers,
  ) {}

  get(id: string): Promise<Experience> {
    return this.api.open<Experience>({ method: "GET", path: at(id), repeatable: true });
  }

  /** Be told what it is, and again when somebody signs in or out, until the returned function is called. */
  watch(id: string, listener: WatchListener<Experience>): () => void {
    const look = (signal: AbortSignal) => this.api.open<Experience>({ method: "GET", path: at(id), signal });
    return this.watchers.watch(at(id), { name: () => at(id), look, wait: () => null }, listener);
  }

  /** What watchers of this id were told last: the same object until they are told anew. */
  snapshot(id: string): Watched<Experience> | undefined {
    return this.watchers.snapshot<Experience>(at(id));
  }

  /** Be taken to the first sequence whose conditions are met.
   *
   * Rejects with SIGN_IN_REQUIRED, ACCESS_CODE_REQUIRED or NOT_ELIGIBLE where there is none.
   */
  enter(id: string, { accessCode }: { accessCode?: string | undefined } = {}): Promise<Visit> {
    const path = `${at(id)}/enter`;
    return this.api.asConsumer<Visit>({ method: "POST", path, body: { accessCode }, repeatable: true });
  }

  /** Places in its distributions stay. */
  leave(id: string): Promise<{ left: boolean }> {
    const path = `${at(id)}/leave`;
    return this.api.asConsumer<{ left: boolean }>({ method: "DELETE", path, repeatable: true });
  }
}

export class Organizations {
  constructor(private readonly api: Api) {}

  /** The one whose key it is. */
  current(): Promise<Organization> {
    return this.api.open<Organization>({ method: "GET", path: "/organizations/current", repeatable: true });
  }
}

export class Consumers {
  constructor(
    private readonly api: Api,
    private readonly watchers: Watchers,
  ) {}

  /** Who asks, with all they take part in. */
  me(): Promise<Consumer> {
    return this.api.asConsumer<Consumer>({ method: "GET", path: ME, repeatable: true });
  }

  /** Be told who it is, and again with every other session or `reload`, until the returned function is called.
   *
   * `value` is null as long as there is no session; none is opened for that.
   */
  watch(listener: WatchListener<Consumer>): () => void {
    return this.watchers.watch(ME, this.source(), listener);
  }

  /** What watchers were told last: the same object until they are told anew. */
  snapshot(): Watched<Consumer> | undefined {
    return this.watchers.snapshot<Consumer>(ME);
  }

  /** Look again, if watched: they have entered something, say. */
  reload(): void {
    this.watchers.refresh(ME);
  }

  private source(): Source<Consumer> {
    const { sessions } = this.api;
    return {
      name: () => `${ME}:${sessions.current()?.consumerId ?? ""}`,
      look: async (signal) => {
        if (!sessions.current()) return null;
        return this.api.asConsumer<Consumer>({ method: "GET", path: ME, signal }, { opens: false });
      },
      wait: () => null,
      isAboutGuests: true,
    };
  }
}

function at(id: string): string {
  return `/experiences/${segment(id)}`;
}

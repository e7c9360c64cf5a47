/** `/experiences/…`, `/organizations/current` and `/consumers/me`. */

import type { Api } from "./api";
import type { Consumer, Experience, Organization, Visit } from "./types";

export class Experiences {
  constructor(private readonly api: Api) {}

  get(id: string): Promise<Experience> {
    return this.api.open<Experience>({ method: "GET", path: at(id), repeatable: true });
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
  constructor(private readonly api: Api) {}

  /** Who asks, with all they take part in. */
  me(): Promise<Consumer> {
    return this.api.asConsumer<Consumer>({ method: "GET", path: "/consumers/me", repeatable: true });
  }
}

function at(id: string): string {
  return `/experiences/${encodeURIComponent(id)}`;
}

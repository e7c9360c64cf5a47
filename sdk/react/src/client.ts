/** Which client the hooks use: the provider's, else the one that was made last. */

import { createContext, createElement, useContext, type ReactElement, type ReactNode } from "react";
import { Fanfare as Core, type FanfareOptions } from "@fanfare/sdk-core";

const Context = createContext<Core | null>(null);
let latest: Core | null = null;

/** The core's client, which hooks find without a provider. */
export class Fanfare extends Core {
  constructor(options: FanfareOptions) {
    super(options);
    remember(this);
  }
}

function remember(client: Core): void {
  latest = client;
}

export interface FanfareProviderProps {
  client: Core;
  children?: ReactNode;
}

/** Gives all hooks below it this client: where a page has several, and on servers, where one made last is anybody's. */
export function FanfareProvider({ client, children }: FanfareProviderProps): ReactElement {
  return createElement(Context.Provider, { value: client }, children);
}

/** The client, for all that there is no hook for. Throws Error where none was made. */
export function useFanfare(): Core {
  const client = useContext(Context) ?? latest;
  if (!client) throw new Error("There is no client yet: make one, new Fanfare({ publishableKey }), before the first hook.");
  return client;
}

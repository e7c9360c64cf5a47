/** The hosted page's beginning: all parts made and put together, then the visitor is taken where they belong. */

import { Fanfare, type Experience } from "@fanfare/sdk-core";
import { Announcer } from "./announcer";
import { ServerClock } from "./clock";
import { fingerprint } from "./fingerprint";
import { moveSession } from "./keeping";
import type { Page } from "./page";
import { open, route } from "./routing";
import { Stage } from "./stage";
import { readTold } from "./told";
import { solve } from "./work";
import { Words } from "./words";

function begin(): void {
  const told = readTold();
  const room = document.getElementById("room");
  const region = document.getElementById("announcements");
  if (!room || !region) return;
  moveSession(told.organizationId, told.publishableKey);
  const [load] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const at = (mark: number | undefined) => performance.timeOrigin + (mark ?? 0);
  const clock = new ServerClock(told.now, at(load?.requestStart), at(load?.responseStart ?? performance.now()));
  const fanfare = new Fanfare({
    publishableKey: told.publishableKey,
    baseUrl: `${location.origin}/api/v1`,
    fingerprint: () => fingerprint(told.thumbmarkUrl),
    solve: (challenge) => solve(page, challenge),
    fetch: clock.fetch,
  });
  const page: Page = {
    told,
    fanfare,
    clock,
    words: new Words(told.language),
    stage: new Stage(room),
    announcer: new Announcer(region),
    experience: { id: told.experienceId, name: document.title, sequences: [] } as unknown as Experience,
    close: () => undefined,
    route: () => route(page),
    open: (id) => open(page, id),
  };
  addEventListener("popstate", () => void route(page));
  addEventListener("pageshow", (event) => event.persisted && void route(page));
  void route(page);
}

begin();

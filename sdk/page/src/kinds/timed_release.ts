/** A timed release: whoever comes in time has one at once. */

import type { TimedRelease, TimedReleaseStatus } from "@fanfare/sdk-core";
import type { Details, Kind, Standing } from "./kind";

export const timedRelease: Kind<TimedRelease & Details, TimedReleaseStatus & Standing> = {
  name: "timed_release",
  client: (fanfare) => fanfare.timedReleases,
  show({ page: { words }, details, standing, phase, refusal, isBusy, attempt, page }) {
    if (standing || phase !== "OPEN" || refusal) return null;
    const { available, claimSeconds } = details;
    const enter = () => attempt(() => page.fanfare.timedReleases.enter(details.id));
    if (available === 0) return { view: "sold-out", filling: { text: { name: details.name, again: "1" }, does: { enter } } };
    return {
      view: "enter",
      filling: {
        text: {
          name: details.name,
          available: available === null ? null : words.number(available),
          only: available === null ? null : words.phrase(available === 1 ? "timed_release-one" : "timed_release-left", {
            available: words.number(available),
          }),
          claim: claimSeconds === null ? null : words.phrase("timed_release-claim", { time: words.spoken(claimSeconds) }),
          message: details.message,
          busy: isBusy ? "1" : null,
        },
        does: { enter },
      },
    };
  },
};

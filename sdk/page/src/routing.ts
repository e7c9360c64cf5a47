/** Where a visitor is taken: by what the address names, by what they are in already, by what is open to them. */

import { FanfareError, type Consumer, type Sequence } from "@fanfare/sdk-core";
import { pause } from "./attempts";
import * as doors from "./doors";
import { find, places } from "./following";
import { addressOf, HERE, title, type Page, type Place } from "./page";
import { Participation } from "./participation";

export async function route(page: Page): Promise<void> {
  page.close();
  const sequence = await sequenceOf(page);
  if (sequence === null) return;
  offerDoors(page);
  const named = new URLSearchParams(location.search).get(HERE);
  const asked = page.experience.sequences.find(({ id }) => id === named);
  const place = named === null || asked ? undefined : find(page.experience, named);
  const offered = places(asked ?? sequence);
  const granting = offered.filter(({ kind }) => kind !== "waitlist"); // which is there for when these are over
  const only = granting.length === 1 ? granting[0] : offered.length === 1 ? offered[0] : undefined;
  const found = place ?? only ?? (await underway(page, offered));
  if (found) show(page, found);
  else choose(page, offered);
}

/** Show one, and have the address say so, for a reload and for the way back. */
export function open(page: Page, id: string): void {
  const place = find(page.experience, id);
  if (!place) return;
  history.pushState(null, "", addressOf(place.id));
  page.close();
  show(page, place);
}

function show(page: Page, place: Place): void {
  const shown = new Participation(page, place);
  page.close = () => shown.close();
}

/** The sequence that is open to them; null where they have to do something first, which is shown. */
async function sequenceOf(page: Page): Promise<Sequence | null> {
  const { fanfare, told } = page;
  if (!fanfare.auth.session()) {
    // Nobody is signed in for looking: as a guest, one is taken to the first that asks for nothing.
    page.experience = await patiently(page, () => fanfare.experiences.get(told.experienceId));
    const free = page.experience.sequences.find(({ requires }) => requires.length === 0);
    if (!free) knock(page);
    return free ?? null;
  }
  try {
    const visit = await patiently(page, () => fanfare.experiences.enter(told.experienceId));
    page.experience = visit.experience;
    return visit.experience.sequences.find(({ id }) => id === visit.sequenceId) ?? null;
  } catch (error) {
    if (!(error instanceof FanfareError)) throw error;
    page.experience = await patiently(page, () => fanfare.experiences.get(told.experienceId));
    doors.open(page, error);
    return null;
  }
}

/** The door of the sequence that asks for the least. */
function knock(page: Page): void {
  const asked = page.experience.sequences.map(({ requires }) => requires).sort((one, other) => one.length - other.length);
  const first = asked[0];
  if (!first) page.stage.show(["empty"], {});
  else if (first.length === 1 && first[0] === "access_code") doors.accessCode(page);
  else doors.signIn(page);
}

/** Links to other ways in, where there are some that a visitor may still open. */
function offerDoors(page: Page): void {
  const asks = (condition: string) => page.experience.sequences.some(({ requires }) => requires.includes(condition as never));
  const isGuest = page.fanfare.auth.session()?.type !== "authenticated";
  const shown = { "access-code": asks("access_code"), "sign-in": isGuest && (asks("authentication") || asks("audience")) };
  for (const [name, is] of Object.entries(shown)) {
    const button = document.querySelector<HTMLButtonElement>(`button[data-door="${name}"]`);
    if (!button) continue;
    button.hidden = !is;
    button.onclick = name === "sign-in" ? () => doors.signIn(page) : () => doors.accessCode(page);
  }
}

/** The one of these that they are in, where it is just one. */
async function underway(page: Page, offered: Place[]): Promise<Place | undefined> {
  if (!page.fanfare.auth.session()) return undefined;
  const { active } = await patiently(page, () => page.fanfare.consumers.me());
  const found = offered.filter(({ id }) => isIn(active, id));
  return found.length === 1 ? found[0] : undefined;
}

function isIn(active: Consumer["active"], id: string): boolean {
  const kinds = Object.values(active) as Record<string, { status?: string }>[];
  return kinds.some((standings) => ["QUEUED", "ADMITTED"].includes(standings[id]?.status ?? ""));
}

function choose(page: Page, offered: Place[]): void {
  title(page, "");
  const choices = offered.map(({ id, name, kind }) => ({
    text: { name, kind: page.words.phrase(`kind-${kind}`) },
    does: { choose: () => open(page, id) },
  }));
  page.stage.show([choices.length ? "choice" : "empty"], { lists: { choices } });
}

async function patiently<T>(page: Page, what: () => Promise<T>): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await what();
    } catch (error) {
      const seconds = pause(error, failures);
      if (seconds === null) throw error;
      page.stage.show(["crowded"], { text: { wait: page.words.spoken(seconds) } });
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }
}

/** One distribution on the page: looked at, entered, watched, and shown anew each second. */

import { FanfareError, NetworkError } from "@fanfare/sdk-core";
import { pause } from "./attempts";
import { open as openDoor } from "./doors";
import { KINDS } from "./kinds";
import type { AnyKind, Details, Seen, Shown, Standing } from "./kinds/kind";
import { shared } from "./kinds/shared";
import { pin, title, type Page, type Place } from "./page";

const LOOK_SECONDS = 15; // at the distribution itself: paused, closed, a message
const DOORS = ["SIGN_IN_REQUIRED", "ACCESS_CODE_REQUIRED", "NOT_ELIGIBLE"];
const OVER_FOR_NOW = "ADMISSION_EXPIRED";

export class Participation {
  private readonly kind: AnyKind;
  private details: Details | null = null;
  private standing: Standing | null = null;
  private hasLooked = false;
  private refusal: FanfareError | null = null;
  private isBusy = false;
  private isClosed = false;
  private device: string | null = null;
  private dueAt = 0;
  private readonly ends: (() => void)[] = [];

  constructor(
    private readonly page: Page,
    private readonly place: Place,
  ) {
    this.kind = KINDS[place.kind].kind;
    const watch = this.kind.client(page.fanfare).watch(place.id, ({ value, error }) => this.hear(value, error));
    const timer = setInterval(() => this.tick(), 1000);
    const wake = () => this.tick(true);
    document.addEventListener("visibilitychange", wake);
    this.ends.push(watch, () => clearInterval(timer), () => document.removeEventListener("visibilitychange", wake));
    void this.look();
  }

  close(): void {
    this.isClosed = true;
    document.body.classList.remove("inside");
    for (const end of this.ends) end();
    offline(false);
  }

  private hear(value: unknown, error: unknown): void {
    this.hasLooked ||= error === null;
    offline(error instanceof NetworkError);
    if (error === null) {
      const before = this.standing?.status;
      this.standing = value as Standing | null;
      if (this.standing) this.refusal = null;
      if (this.standing?.status !== before) this.dueAt = 0; // whatever happened may be told of the whole as well
    }
    if (this.standing?.status === "ADMITTED" && this.device === null) void this.name();
    this.render();
  }

  private async name(): Promise<void> {
    this.device = await this.page.fanfare.fingerprint();
    this.render();
  }

  private tick(isAwake = false): void {
    if (document.hidden) return;
    if (isAwake || this.page.clock.now() >= this.dueAt) void this.look();
    this.render();
  }

  private async look(): Promise<void> {
    const { clock } = this.page;
    this.dueAt = Infinity;
    try {
      this.details = (await this.kind.client(this.page.fanfare).get(this.place.id)) as Details;
    } catch (error) {
      if (error instanceof FanfareError && error.status === 404) {
        location.reload(); // staff have taken it away
        return;
      }
    }
    const advised = Math.min(LOOK_SECONDS, this.details?.pollAfterSeconds ?? LOOK_SECONDS);
    const wait = advised * (0.8 + 0.4 * Math.random()) * 1000;
    // When it opens or closes, all look; not all at once.
    const { openAt, closeAt, drawAt } = this.details ?? {};
    const turns = [openAt, closeAt, drawAt].map((at) => Date.parse(at ?? "") - clock.now());
    const turn = Math.min(...turns.filter((left) => left > 0), Infinity);
    this.dueAt = clock.now() + Math.min(wait, turn + 2000 * Math.random());
    this.render();
  }

  /** Enter, say: as a guest unless somebody signed in, by the sequence that is open to them, with patience. */
  private async attempt(what: () => Promise<unknown>): Promise<void> {
    if (this.isBusy) return;
    this.isBusy = true;
    this.refusal = null;
    this.render();
    try {
      await this.persist(what);
    } catch (error) {
      if (!(error instanceof FanfareError)) throw error;
      if (DOORS.includes(error.code) && !this.isClosed) this.open(error);
      else this.refusal = error.status === 423 ? null : error;
      this.dueAt = 0;
    } finally {
      this.isBusy = false;
      this.render();
    }
  }

  private open(refusal: FanfareError): void {
    // Whoever signs in for this one comes back to it, whichever sequence is theirs then.
    if (refusal.code === "SIGN_IN_REQUIRED") pin(this.place.id);
    openDoor(this.page, refusal);
  }

  private async persist(what: () => Promise<unknown>): Promise<void> {
    const { fanfare, experience, told, stage, words } = this.page;
    for (let failures = 0; !this.isClosed; ) {
      try {
        const known = fanfare.auth.session();
        if (!known) await fanfare.experiences.enter(experience.id === "" ? told.experienceId : experience.id);
        await what();
        return;
      } catch (error) {
        failures += 1;
        const seconds = pause(error, failures);
        if (seconds === null) throw error;
        stage.show(["crowded"], { text: { wait: words.spoken(seconds) } });
        this.page.announcer.say(words.phrase("says-crowded"));
        await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      }
    }
  }

  private phase(details: Details, now: number): string {
    const { status, openAt, closeAt } = details;
    if (closeAt && now >= Date.parse(closeAt) && status !== "DRAWN" && status !== "SETTLED") return "CLOSED";
    return status === "PENDING" && openAt && now >= Date.parse(openAt) ? "OPEN" : status;
  }

  private render(): void {
    if (this.isClosed || !this.details || !(this.hasLooked || this.refusal) || this.isWaitingOut) return;
    const now = this.page.clock.now();
    const seen: Seen<Details, Standing> = {
      page: this.page,
      sequence: this.place.sequence,
      details: this.details,
      phase: this.phase(this.details, now),
      standing: this.counted(now),
      refusal: this.refusal,
      isBusy: this.isBusy,
      now,
      fingerprint: this.device,
      refresh: () => void this.look(),
      redraw: () => this.render(),
      dismiss: () => {
        this.refusal = null;
        this.render();
      },
      attempt: (what) => void this.attempt(what),
    };
    this.show(this.kind.show(seen) ?? shared(this.kind, seen));
  }

  /** While a crowd is waited out, that is what is shown. */
  private get isWaitingOut(): boolean {
    return this.isBusy && document.getElementById("room")?.dataset.shows === "crowded";
  }

  /** How they stand; an admission whose time is up has ended, whatever the server has said so far. */
  private counted(now: number): Standing | null {
    const { standing } = this;
    if (standing?.status === "ADMITTED" && standing.expiresAt && now >= Date.parse(standing.expiresAt)) {
      return { ...standing, status: "DENIED", denyReason: OVER_FOR_NOW };
    }
    return standing;
  }

  private show({ view, filling, title: start = "", says = "", mentions = "" }: Shown): void {
    this.page.stage.show([`${this.kind.name}-${view}`, view], filling);
    document.body.classList.toggle("inside", ["QUEUED", "ADMITTED"].includes(this.standing?.status ?? ""));
    title(this.page, start);
    this.announce(says, mentions);
  }

  private said = "";

  private announce(says: string, mentions: string): void {
    const { announcer } = this.page;
    if (says !== this.said) announcer.say(says);
    this.said = says;
    if (mentions) announcer.mention(mentions);
  }
}

function offline(isAway: boolean): void {
  const strip = document.getElementById("offline");
  if (strip) strip.hidden = !isAway;
}


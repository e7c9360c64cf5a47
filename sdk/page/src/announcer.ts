/** What a screen reader is told: changes that matter at once, numbers that move seldom. */

const EVERY_MS = 30_000;

export class Announcer {
  private last = "";
  private saidAt = -Infinity;

  constructor(
    private readonly region: HTMLElement,
    private readonly now = () => performance.now(),
  ) {}

  /** At once. */
  say(text: string): void {
    if (text === "" || text === this.last) return;
    this.last = text;
    this.saidAt = this.now();
    this.region.textContent = text;
  }

  /** Unless something was said within half a minute; then what is newest is said by whoever asks next. */
  mention(text: string): void {
    if (this.now() - this.saidAt >= EVERY_MS) this.say(text);
  }
}

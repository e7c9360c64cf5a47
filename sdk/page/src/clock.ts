/** The server's clock, as far as its answers tell: the device's own may be wrong, or be set meanwhile. */

/** An answer's `Date` is a whole second, which may be almost over. */
const GRAIN_MS = 1000;

export class ServerClock {
  /** By how much the server's clock is ahead of the device's: somewhere between, in milliseconds. */
  private least: number;
  private most: number;

  /** `now`: the server's clock when it wrote the page, between `asked` and `got` by the device's. */
  constructor(now: number, asked: number, got: number, private readonly device = () => Date.now()) {
    this.least = now - got;
    this.most = now - asked;
  }

  /** Milliseconds, as `Date.now()`. */
  now(): number {
    return this.device() + (this.least + this.most) / 2;
  }

  /** A `fetch` that reads the clock from each answer. */
  readonly fetch = async (input: string, init: RequestInit): Promise<Response> => {
    const asked = this.device();
    const response = await globalThis.fetch(input, init);
    const date = Date.parse(response.headers.get("Date") ?? "");
    if (!Number.isNaN(date)) this.hear(date, asked, this.device());
    return response;
  };

  /** Narrow it down; where that can't be, a clock was set, and only the newest counts. */
  hear(date: number, asked: number, got: number): void {
    const [least, most] = [date - got, date + GRAIN_MS - asked];
    const isConsistent = least <= this.most && this.least <= most;
    this.least = isConsistent ? Math.max(this.least, least) : least;
    this.most = isConsistent ? Math.min(this.most, most) : most;
  }
}

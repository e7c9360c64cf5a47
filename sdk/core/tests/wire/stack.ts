/** The real server: where it is, what is set up there, and the shop's side of it. */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Fanfare, type FanfareOptions, type Watched } from "../../src";

interface Ids {
  experience: string;
  queues: { line: string; slow: string; later: string };
  draws: { raffle: string };
  auctions: { lot: string };
  timedReleases: { flash: string };
  appointments: { fitting: string };
  waitlist: { next: string };
}

const { FANFARE_URL: url = "", FANFARE_PK: publishableKey = "", FANFARE_SK: secretKey = "" } = process.env;
const root = fileURLToPath(new URL("../../../../", import.meta.url));
const python = process.env.PYTHON ?? `${root}.venv/bin/python`;
export const ids = JSON.parse(process.env.FANFARE_IDS ?? "{}") as Ids;

/** A browser of its own: memory is not shared. */
export function browser(options: Partial<FanfareOptions> = {}): Fanfare {
  return new Fanfare({ publishableKey, baseUrl: `${url}/api/v1`, ...options });
}

/** What the shop's server asks, with the secret key. */
export async function shop(path: string, body: object, fingerprint?: string): Promise<Record<string, unknown>> {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${secretKey}` };
  const more = fingerprint === undefined ? {} : { "X-Fingerprint": fingerprint };
  const init = { method: "POST", headers: { ...headers, ...more }, body: JSON.stringify(body) };
  return (await (await fetch(`${url}/api/v1${path}`, init)).json()) as Record<string, unknown>;
}

/** The code that came last, read where development shows what is not sent: in the outbox. */
export function codeFor(address: string): string {
  const script = `from auth_otp.models import OutboxMessage
print(OutboxMessage.objects.filter(address="${address}").latest("id").text)`;
  const text = execFileSync(python, ["manage.py", "shell", "--verbosity", "0", "-c", script], { cwd: root }).toString();
  return /\b\d{6}\b/.exec(text)?.[0] ?? "";
}

type Watch<T> = (listener: (watched: Watched<T>) => void) => () => void;

/** The first value that is as wished. Rejects with the first error. */
export function until<T>(watch: Watch<T>, isWished: (value: T | null) => boolean): Promise<T | null> {
  return new Promise((resolve, reject) => {
    const stop = watch(({ value, error }) => {
      if (!error && !isWished(value)) return;
      queueMicrotask(() => stop());
      if (error) reject(error);
      else resolve(value);
    });
  });
}

export async function refused(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ wasAnswered: value }),
    (error: unknown) => error,
  );
}

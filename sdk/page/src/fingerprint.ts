/** The device's name: ThumbmarkJS's, loaded when it is first needed; where that fails, a random one that is kept. */

import { keep, recall } from "./keeping";

const KEPT = "fanfare-page:device";
const LONGEST_MS = 4_000;

interface Thumbmark {
  Thumbmark: new (options: object) => { get(): Promise<{ thumbmark: string }> };
}

export async function fingerprint(url: string): Promise<string> {
  const known = recall(KEPT);
  if (typeof known === "string") return known;
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), LONGEST_MS));
  const found = (await Promise.race([ask(url).catch(() => null), late])) ?? crypto.randomUUID();
  const name = `fp_${found}`;
  keep(KEPT, name);
  return name;
}

async function ask(url: string): Promise<string> {
  const { Thumbmark } = (await import(url)) as Thumbmark;
  // Neither its maker's server nor what changes from one visit to the next.
  const { thumbmark } = await new Thumbmark({ logging: false, exclude: ["permissions"] }).get();
  if (!/^[\w-]{10,61}$/.test(thumbmark)) throw new Error("no thumbmark");
  return thumbmark;
}

/** The device's name in `X-Fingerprint`: the shop's own, or a random one that is kept. */

import { randomText } from "./random";
import type { SafeStorage } from "./storage";

/** `fp_` and 10 to 64 letters, digits, `_` or `-`; or what finds it out. */
export type FingerprintOption = string | (() => Promise<string> | string);

const NAME = "fingerprint";
const FORM = /^fp_[\w-]{10,64}$/;

/** Asks a given function once, and again only if it failed. */
export function fingerprinter(storage: SafeStorage, option?: FingerprintOption): () => Promise<string> {
  let found: Promise<string> | undefined;
  const find = async () => checked(typeof option === "function" ? await option() : (option ?? kept(storage)));
  return () => {
    found ??= find().catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
}

function kept(storage: SafeStorage): string {
  const known = storage.getItem(NAME) ?? "";
  const found = FORM.test(known) ? known : `fp_${randomText(24)}`;
  storage.setItem(NAME, found);
  return found;
}

function checked(value: string): string {
  if (FORM.test(value)) return value;
  throw new TypeError("A fingerprint is fp_ and 10 to 64 letters, digits, _ or -.");
}

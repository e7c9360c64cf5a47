/** Bytes and their hashes, by the browser's Web Crypto, which only a page over HTTPS (or of this device) has. */

export type Bytes = Uint8Array<ArrayBuffer>;
/** Told how many are done. */
export type Progress = (done: number) => void;

const AT_ONCE = 500;
const LONGEST_MS = 30; // then the page has its turn; hashes that come one by one would not leave it any
const encoder = new TextEncoder();

export async function sha256(...parts: (Bytes | string)[]): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(parts)));
}

/** HMAC-SHA256 with this key. */
export async function mac(key: Bytes): Promise<(message: Bytes) => Promise<Bytes>> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return async (message) => new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
}

export function joined(parts: (Bytes | string)[]): Bytes {
  const all = parts.map((part) => (typeof part === "string" ? encoder.encode(part) : part));
  const whole = new Uint8Array(all.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of all) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** 8 bytes, the highest first. Throws RangeError for what has no place in them. */
export function u64(number: number): Bytes {
  if (!Number.isSafeInteger(number) || number < 0) throw new RangeError(`Not a number of 8 bytes: ${number}`);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(number));
  return bytes;
}

export function hex(bytes: Bytes): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** Throws TypeError for what is not hexadecimal. */
export function unhex(text: string): Bytes {
  if (!/^([0-9a-f]{2})*$/i.test(text)) throw new TypeError("Not hexadecimal.");
  const bytes = new Uint8Array(text.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** What is made of each, in their order; the page stays responsive meanwhile. */
export async function each<One, Made>(
  ones: readonly One[],
  make: (one: One, index: number) => Promise<Made>,
  progress: Progress = () => undefined,
): Promise<Made[]> {
  const made: Made[] = [];
  let since = performance.now();
  for (let at = 0; at < ones.length; at += AT_ONCE) {
    const some = ones.slice(at, at + AT_ONCE).map((one, index) => make(one, at + index));
    for (const one of await Promise.all(some)) made.push(one);
    progress(made.length);
    if (performance.now() - since < LONGEST_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    since = performance.now();
  }
  return made;
}

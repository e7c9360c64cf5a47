/** JSON from elsewhere, of which nothing is believed; and written as Python's `json.dumps` writes it, sorted. */

export type Json = null | boolean | number | string | Json[] | JsonObject;
export interface JsonObject {
  [name: string]: Json;
}

export function dumps(value: Json | undefined): string {
  if (value === undefined || value === null) return "null";
  if (Array.isArray(value)) return `[${value.map(dumps).join(", ")}]`;
  if (typeof value !== "object") return ascii(JSON.stringify(value));
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${ascii(JSON.stringify(name))}: ${dumps(value[name])}`).join(", ")}}`;
}

function ascii(text: string): string {
  return text.replace(/[\u007f-\uffff]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** What stands there. Throws TypeError where nothing does, or something else. */
export function object(value: Json | undefined): JsonObject {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new TypeError("No object.");
  return value;
}

export function list(value: Json | undefined): Json[] {
  if (!Array.isArray(value)) throw new TypeError("No list.");
  return value;
}

export function text(value: Json | undefined): string {
  if (typeof value !== "string") throw new TypeError("No text.");
  return value;
}

/** A whole number that can be counted with. */
export function whole(value: Json | undefined): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new TypeError("No whole number.");
  return value;
}

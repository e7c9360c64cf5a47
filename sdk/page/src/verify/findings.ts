/** What was found out, line by line, in the words of `verify_draw.py`. */

import { dumps, type Json, type JsonObject } from "./json";

export interface Finding {
  kind: "ok" | "FAIL" | "note";
  text: string;
}

export class Findings {
  readonly all: Finding[] = [];

  get failures(): number {
    return this.all.filter(({ kind }) => kind === "FAIL").length;
  }

  /** Of each field whether it is what was found, compared as JSON. */
  check(what: string, said: JsonObject, found: Record<string, Json>): void {
    for (const [name, value] of Object.entries(found)) {
      const [text, told] = [dumps(value), dumps(said[name])];
      const claim = `${name} is ${what}: ${text.slice(0, 120)}`;
      if (text === told) this.all.push({ kind: "ok", text: claim });
      else this.all.push({ kind: "FAIL", text: `${claim}, not ${told.slice(0, 120)}` });
    }
  }

  /** For the visitor to judge. */
  note(text: string): void {
    this.all.push({ kind: "note", text });
  }
}

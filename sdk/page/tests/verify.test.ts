import { describe, expect, it } from "vitest";
import { readFileSync } from "node:fs";
import { verify, type Json } from "../src/verify";

interface Case {
  name: string;
  /** By its name. */
  proof: string;
  /** Something else stands there. */
  path?: (string | number)[];
  value?: Json;
  receipt?: Json;
  /** Of `verify_draw.py`: 0, nothing failed; 1, something did; 2, it can't use its input. */
  status: number;
  lines: string[];
}

// Written by `python -m tests.verifier.vectors`.
const text = readFileSync(new URL("vectors.json", import.meta.url), "utf8");
const { proofs, cases } = JSON.parse(text) as { proofs: { name: string; whole: Json }[]; cases: Case[] };

function proofOf({ proof, path, value }: Case): Json {
  const copied = structuredClone(proofs.find(({ name }) => name === proof)?.whole ?? null);
  if (!path) return copied;
  const holder = path.slice(0, -1).reduce((at, name) => (at as Record<string, Json>)[name] ?? null, copied);
  (holder as Record<string, Json>)[path.at(-1) ?? ""] = value ?? null;
  return copied;
}

describe("The verifier of the page says what verify_draw.py says of", () => {
  it.each(cases)("$name", async (one) => {
    const { receipt, status, lines } = one;
    const verdict = await verify(proofOf(one), receipt);
    const expected = { 0: ["VERIFIED", "UNDRAWN"], 1: ["FAILED"], 2: ["UNUSABLE"] }[status];
    expect(expected).toContain(verdict.is);
    if (status === 2) return;
    const said = verdict.findings.map(({ kind, text }) => `${kind.padEnd(5)} ${text}`);
    expect([...said, verdict.summary]).toEqual(lines);
  });

  it("and nothing that was tampered with is verified", () => {
    const tampered = cases.filter(({ name }) => name.startsWith("tampered: "));
    expect(tampered.length).toBeGreaterThan(25);
    for (const { name, status } of tampered) expect(status, name).toBeGreaterThan(0);
  });
});

it("tells how far it is, up to all of it", async () => {
  const shares: number[] = [];
  const whole = proofs.find(({ name }) => name === "a whole one");
  await verify(whole?.whole ?? null, undefined, (share) => shares.push(share));
  expect(shares).toEqual([...shares].sort((one, other) => one - other));
  expect(shares.at(-1)).toBe(1);
});

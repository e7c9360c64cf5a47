/** The proof of work that entering may cost: altcha's widget, beside the button that was pressed, while it counts. */

import { FanfareError, type Challenge } from "@fanfare/sdk-core";
import type { Page } from "./page";

/** The addresses of the widget's parts. */
export interface AltchaUrls {
  script: string;
  style: string;
  worker: string;
}

interface Altcha {
  algorithms: Map<string, () => Worker>;
  i18n: { set(language: string, words: Record<string, string>): void };
}

let loaded: Promise<void> | undefined;

/** Altcha's payload. Rejects with PROOF_OF_WORK_REQUIRED where this browser can't do it. */
export async function solve(page: Page, challenge: Challenge): Promise<string> {
  loaded ??= load(page).catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  const box = document.createElement("div");
  try {
    await loaded;
    page.announcer.say(page.words.phrase("work-doing"));
    return await count(page, challenge, box);
  } catch (error) {
    const message = `The proof of work failed: ${String(error)}`;
    throw new FanfareError(400, { code: "PROOF_OF_WORK_REQUIRED", error: "Proof of work required", message });
  } finally {
    box.remove();
  }
}

async function load({ told, words }: Page): Promise<void> {
  const { script, style, worker } = told.altcha;
  const link = document.createElement("link");
  link.nonce = document.querySelector<HTMLScriptElement>("script[nonce]")?.nonce ?? "";
  link.rel = "stylesheet";
  link.href = style;
  // Before the page's own sheet, whose rules for the widget are to win.
  document.head.prepend(link);
  await import(script);
  const { algorithms, i18n } = (globalThis as unknown as { $altcha: Altcha }).$altcha;
  algorithms.set("PBKDF2/SHA-256", () => new Worker(worker));
  const said = ["label", "verifying", "verified", "error", "expired"].map((name) => [name, words.phrase(`work-${name}`)]);
  i18n.set(told.language, Object.fromEntries(said) as Record<string, string>);
}

function count(page: Page, challenge: Challenge, box: HTMLElement): Promise<string> {
  const widget = document.createElement("altcha-widget");
  const said = { minDuration: 0, hideLogo: true, hideFooter: true, humanInteractionSignature: false };
  const attributes = {
    auto: "onload",
    challenge: JSON.stringify(challenge),
    configuration: JSON.stringify(said),
    language: page.told.language,
  };
  for (const [name, value] of Object.entries(attributes)) widget.setAttribute(name, value);
  const note = document.createElement("p");
  note.textContent = page.words.phrase("work-doing");
  box.className = "work";
  box.append(note, widget);
  return new Promise((resolve, reject) => {
    widget.addEventListener("statechange", (event) => {
      const { state, payload } = (event as CustomEvent<{ state: string; payload: string | null }>).detail;
      if (state === "verified" && payload) resolve(payload);
      else if (state === "error" || state === "expired") reject(new Error(state));
    });
    page.stage.beside(box);
  });
}

/** What has to be done first: sign in by a code, or type an access code. */

import { FanfareError, type FanfareError as Refusal } from "@fanfare/sdk-core";
import { pin, title, type Page } from "./page";

type Contact = { email: string } | { phone: string };

/** The door that the refusal is about. */
export function open(page: Page, refusal: Refusal): void {
  if (refusal.code === "SIGN_IN_REQUIRED") signIn(page);
  else if (refusal.code === "ACCESS_CODE_REQUIRED") accessCode(page);
  else ineligible(page);
}

export function signIn(page: Page, problem = ""): void {
  begin(page);
  page.stage.show(["sign-in"], {
    text: { problem },
    does: {
      send: (form) => void send(page, contactIn(text(form, "contact"))),
      back: () => void page.route(),
      code: () => accessCode(page),
    },
  });
}

async function send(page: Page, contact: Contact): Promise<void> {
  try {
    await page.fanfare.auth.requestOtp(contact);
    askForCode(page, contact);
  } catch (error) {
    signIn(page, problemOf(page, error));
  }
}

function askForCode(page: Page, contact: Contact, problem = ""): void {
  const address = "email" in contact ? contact.email : contact.phone;
  page.stage.show(["one-time-code"], {
    text: { address, problem },
    does: {
      verify: (form) => void verify(page, contact, text(form, "code").replace(/\D/g, "")),
      again: () => void send(page, contact),
      back: () => signIn(page),
    },
  });
}

async function verify(page: Page, contact: Contact, code: string): Promise<void> {
  try {
    await page.fanfare.auth.verifyOtp({ ...contact, code });
    await page.route();
  } catch (error) {
    askForCode(page, contact, problemOf(page, error));
  }
}

export function accessCode(page: Page, problem = ""): void {
  begin(page);
  page.stage.show(["access-code"], {
    text: { problem },
    does: {
      use: (form) => void use(page, text(form, "code")),
      back: () => void page.route(),
      sign: () => signIn(page),
    },
  });
}

async function use(page: Page, code: string): Promise<void> {
  try {
    const { sequenceId } = await page.fanfare.experiences.enter(page.experience.id, { accessCode: code });
    pin(sequenceId); // the code's own, also where another one would come before it
    await page.route();
  } catch (error) {
    if (error instanceof FanfareError && error.code === "SIGN_IN_REQUIRED") signIn(page);
    else accessCode(page, problemOf(page, error));
  }
}

function ineligible(page: Page): void {
  begin(page);
  const isGuest = page.fanfare.auth.session()?.type !== "authenticated";
  page.stage.show(["not-eligible"], {
    text: { sign: isGuest ? "1" : null },
    does: { sign: () => signIn(page), code: () => accessCode(page) },
  });
}

function begin(page: Page): void {
  page.close();
  title(page, "");
}

/** What went wrong, in the page's words. */
export function problemOf(page: Page, error: unknown): string {
  if (!(error instanceof FanfareError)) return page.words.phrase("problem-network");
  const wait = error.retryAfter === undefined ? "" : page.words.spoken(error.retryAfter);
  return page.words.phrase(`problem-${error.code}`, { wait }) || page.words.phrase("problem-other");
}

function contactIn(typed: string): Contact {
  return typed.includes("@") ? { email: typed } : { phone: typed };
}

function text(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
}

/** What the server's page tells its script: whose page it is, and nothing about the visitor. */

import type { AltchaUrls } from "./work";

export interface Told {
  /** The server's clock when it wrote the page, in milliseconds. */
  now: number;
  language: string;
  organizationId: string;
  experienceId: string;
  publishableKey: string;
  /** Where the shop is, checked by the server; null: the link named none. */
  returnUrl: string | null;
  thumbmarkUrl: string;
  /** Of the script that checks draws, loaded when somebody wants that. */
  verifyUrl: string;
  altcha: AltchaUrls;
}

export function readTold(): Told {
  return JSON.parse(document.getElementById("told")?.textContent ?? "{}") as Told;
}

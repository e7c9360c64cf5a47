/** Small things kept in this browser; where nothing can be kept, they are forgotten with the page. */

export function recall(name: string): unknown {
  try {
    return JSON.parse(localStorage.getItem(name) ?? "null") as unknown;
  } catch {
    return null;
  }
}

export function keep(name: string, value: unknown): void {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    // Blocked or full: the page works without.
  }
}

/** Who came by a key that the organization has revoked since keeps session and place: they are the organization's. */
export function moveSession(organizationId: string, publishableKey: string): void {
  const name = `fanfare-page:${organizationId}`;
  const before = recall(name);
  keep(name, publishableKey);
  if (typeof before !== "string" || before === publishableKey) return;
  const session = recall(`fanfare:${before}:session`);
  const isNew = recall(`fanfare:${publishableKey}:session`) === null;
  if (session !== null && isNew) keep(`fanfare:${publishableKey}:session`, session);
}

/** The way on to the shop: its own address with the admission in the query, where its server reads it. */

/** Null until there is an address, a token and the fingerprint that the shop's server has to pass on. */
export function wayOn(returnUrl: string | null, token: string | undefined, fingerprint: string | null): string | null {
  if (returnUrl === null || token === undefined || fingerprint === null) return null;
  const address = new URL(returnUrl);
  address.searchParams.set("fanfareToken", token);
  address.searchParams.set("fanfareFingerprint", fingerprint);
  return address.href;
}

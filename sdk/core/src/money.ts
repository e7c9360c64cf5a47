/** Amounts are decimal text such as "150.00", and stay it: nothing here counts in floating point. */

interface Parsed {
  units: bigint;
  decimals: number;
}

/** Below, at or above: -1, 0, 1. Throws TypeError for what is no amount. */
export function compareAmounts(one: string, other: string): -1 | 0 | 1 {
  const [a, b] = aligned(one, other);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The sum, with the decimals of the longer one. */
export function addAmounts(one: string, other: string): string {
  const [a, b, decimals] = aligned(one, other);
  return written(a + b, decimals);
}

/** What a person typed as the API takes it: all of the currency's decimals, none too many.
 *
 * Throws TypeError for anything else; a comma is no decimal point.
 */
export function parseAmount(typed: string, currencyCode: string): string {
  const { units, decimals } = parsed(typed.trim());
  const most = decimalsOf(currencyCode);
  if (decimals > most) throw new TypeError(`${currencyCode} has ${most} decimals.`);
  return written(units * 10n ** BigInt(most - decimals), most);
}

/** For showing, in a language such as `de-DE`; the browser's, unless said. */
export function formatAmount(amount: string, currencyCode: string, locale?: string): string {
  parsed(amount);
  const format = new Intl.NumberFormat(locale, { style: "currency", currency: currencyCode });
  return format.format(amount as Intl.StringNumericLiteral);
}

/** How many decimals a currency has. */
export function decimalsOf(currencyCode: string): number {
  const format = new Intl.NumberFormat("en", { style: "currency", currency: currencyCode });
  return format.resolvedOptions().maximumFractionDigits ?? 2;
}

function parsed(amount: string): Parsed {
  const match = /^(\d+)(?:\.(\d+))?$/.exec(amount);
  if (!match) throw new TypeError(`Not an amount: ${amount}`);
  const [, whole = "", fraction = ""] = match;
  return { units: BigInt(whole + fraction), decimals: fraction.length };
}

function aligned(one: string, other: string): [bigint, bigint, number] {
  const [a, b] = [parsed(one), parsed(other)];
  const decimals = Math.max(a.decimals, b.decimals);
  const units = (amount: Parsed) => amount.units * 10n ** BigInt(decimals - amount.decimals);
  return [units(a), units(b), decimals];
}

function written(units: bigint, decimals: number): string {
  const digits = units.toString().padStart(decimals + 1, "0");
  const whole = digits.length - decimals;
  return decimals === 0 ? digits : `${digits.slice(0, whole)}.${digits.slice(whole)}`;
}

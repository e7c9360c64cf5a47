/** Amounts as people of a language type and read them; between them and the API they are its decimal text. */

import { decimalsOf, parseAmount } from "@fanfare/sdk-core";

/** `1.500,00` or `150`, typed in German, as the API takes it. Throws TypeError for what is no amount. */
export function typedAmount(typed: string, currency: string, language: string): string {
  const { point, group } = marks(language);
  const bare = typed.replace(/[\s\u00a0\u202f'’]/g, "").replace(new RegExp(`^(${currency}|\\p{Sc})|(${currency}|\\p{Sc})$`, "giu"), "");
  const grouped = new RegExp(`^\\d{1,3}(\\${group}\\d{3})+(\\${point}\\d+)?$`);
  // A group's mark may be meant as the point, unless three digits follow: more than the currency has.
  const isGrouped = grouped.test(bare) && (bare.includes(point) || decimalsOf(currency) < 3);
  const plain = isGrouped ? bare.replaceAll(group, "") : bare;
  return parseAmount(plain.replace(point, "."), currency);
}

/** In a field: the language's decimal point, nothing else. */
export function fieldAmount(amount: string, language: string): string {
  return amount.replace(".", marks(language).point);
}

function marks(language: string): { point: string; group: string } {
  const parts = new Intl.NumberFormat(language).formatToParts(12345.6);
  const mark = (type: string) => parts.find((part) => part.type === type)?.value;
  const point = mark("decimal") ?? ".";
  const group = mark("group");
  return { point, group: group === "." || group === "," ? group : point === "," ? "." : "," };
}

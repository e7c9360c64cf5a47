import { describe, expect, it } from "vitest";
import { fieldAmount, typedAmount } from "../src/amounts";

describe("What is typed becomes the API's amount", () => {
  it.each([
    ["150", "EUR", "en", "150.00"],
    [" 150.5 ", "EUR", "en", "150.50"],
    ["1,500", "EUR", "en", "1500.00"],
    ["1,500.00", "EUR", "en", "1500.00"],
    ["€ 150", "EUR", "en", "150.00"],
    ["150 EUR", "EUR", "en", "150.00"],
    ["150,00", "EUR", "de", "150.00"],
    ["1.500", "EUR", "de", "1500.00"],
    ["1.500,50", "EUR", "de", "1500.50"],
    ["150.50", "EUR", "de", "150.50"],
    ["1 500,50 €", "EUR", "de", "1500.50"],
    ["12.345.678,90", "EUR", "de", "12345678.90"],
    ["1.500", "JPY", "de", "1500"],
    ["1,500", "JPY", "en", "1500"],
    ["1.500", "KWD", "en", "1.500"],
  ])("%s %s in %s", (typed, currency, language, amount) => {
    expect(typedAmount(typed, currency, language)).toBe(amount);
  });

  it.each([
    ["", "EUR", "en"],
    ["abc", "EUR", "en"],
    ["-5", "EUR", "en"],
    ["1e3", "EUR", "en"],
    ["1.005", "EUR", "en"],
    ["15,00", "EUR", "en"],
    ["1,5,00", "EUR", "en"],
    ["1.500.00", "EUR", "de"],
    ["5 USD", "EUR", "en"],
    ["150.5", "JPY", "en"],
  ])("but not %s %s in %s", (typed, currency, language) => {
    expect(() => typedAmount(typed, currency, language)).toThrow(TypeError);
  });
});

it("A field has the language's decimal point, and is read back as it was", () => {
  expect(fieldAmount("1500.50", "de")).toBe("1500,50");
  expect(fieldAmount("1500.50", "en")).toBe("1500.50");
  for (const language of ["de", "en"]) {
    expect(typedAmount(fieldAmount("1500.50", language), "EUR", language)).toBe("1500.50");
  }
});

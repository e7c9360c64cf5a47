import { describe, expect, it } from "vitest";
import { addAmounts, compareAmounts, decimalsOf, formatAmount, parseAmount } from "../src";

describe("amounts", () => {
  it.each([
    ["9.00", "10.00", -1],
    ["10", "10.00", 0],
    ["0.1", "0.09", 1],
    ["9007199254740993.00", "9007199254740992.99", 1],
  ])("compare by value: %s and %s", (one, other, expected) => {
    expect(compareAmounts(one, other)).toBe(expected);
  });

  it.each([
    ["0.10", "0.20", "0.30"],
    ["1", "0.005", "1.005"],
    ["999", "1", "1000"],
    ["9007199254740993.01", "0.01", "9007199254740993.02"],
  ])("add exactly: %s + %s", (one, other, sum) => {
    expect(addAmounts(one, other)).toBe(sum);
  });

  it.each([
    [" 150 ", "EUR", "150.00"],
    ["150.5", "EUR", "150.50"],
    ["007.5", "EUR", "7.50"],
    ["0", "EUR", "0.00"],
    ["1500", "JPY", "1500"],
    ["1.5", "KWD", "1.500"],
  ])("are read as the API takes them: %j %s", (typed, currency, amount) => {
    expect(parseAmount(typed, currency)).toBe(amount);
  });

  it.each(["", "1,50", "-1", "+1", "1e3", "NaN", "1.", ".5", "1.505", "٣"])("are never %j", (typed) => {
    expect(() => parseAmount(typed, "EUR")).toThrow(TypeError);
  });

  it("have as many decimals as their currency", () => {
    expect(["EUR", "JPY", "KWD"].map(decimalsOf)).toEqual([2, 0, 3]);
  });

  it("are shown as people write them", () => {
    expect(formatAmount("1234.50", "EUR", "en")).toBe("€1,234.50");
    expect(formatAmount("1234.50", "EUR", "de").replace(/\s/g, " ")).toBe("1.234,50 €");
    expect(() => formatAmount("1e3", "EUR", "en")).toThrow(TypeError);
  });
});

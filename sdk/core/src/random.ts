/** Random text for names of requests, devices and tabs. */

/** So many characters of 0-9 a-z. */
export function randomText(length: number): string {
  const numbers = new Uint8Array(length);
  const { crypto } = globalThis as { crypto?: Crypto }; // Node 18 has none; nothing secret hangs on these
  if (crypto) crypto.getRandomValues(numbers);
  else numbers.forEach((_, index) => (numbers[index] = Math.random() * 256));
  return Array.from(numbers, (number) => (number % 36).toString(36)).join("");
}

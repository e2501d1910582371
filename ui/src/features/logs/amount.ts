/**
 * Exact decimal work on nano-dollars, for text that people type and for the arithmetic of a cost line.
 * Integers throughout: a price like $0.27 has no exact binary fraction.
 */

const NANO_DIGITS = 9;

/** Decimal dollars as typed (`0.1`, `12`, `.5`) to nano-dollars. Absent when it is not a non-negative amount of at most 9 decimals. */
export function nanoFromUsd(text: string): string | undefined {
  const match = /^(\d{0,12})(?:\.(\d{0,9}))?$/.exec(text);
  if (!match || (!match[1] && !match[2])) {
    return undefined;
  }
  const fraction = (match[2] ?? "").padEnd(NANO_DIGITS, "0");
  return BigInt(`${match[1] ?? ""}${fraction}`).toString();
}

/** Nano-dollars as exact decimal dollars without trailing zeros: `270000000` becomes `0.27`. */
export function usdFromNano(nano: string): string {
  const negative = nano.startsWith("-");
  const digits = (negative ? nano.slice(1) : nano).padStart(NANO_DIGITS + 1, "0");
  const whole = digits.slice(0, -NANO_DIGITS);
  const fraction = digits.slice(-NANO_DIGITS).replace(/0+$/, "");
  return `${negative ? "-" : ""}${whole}${fraction ? `.${fraction}` : ""}`;
}

/** Dollars as a person types them, and the nano-dollars they are kept as. */

const DIGITS = 9;

/** `0.5` as `"500000000"`; null where nothing is typed. */
export function fromDollars(text: string): string | null {
  const [whole = "", fraction = ""] = text.split(".");
  if (whole === "" && fraction === "") return null;
  return BigInt(whole + fraction.slice(0, DIGITS).padEnd(DIGITS, "0")).toString();
}

/** `"500000000"` as `0.5`; empty for null. */
export function toDollars(nano: string | null): string {
  if (nano === null) return "";
  const digits = nano.padStart(DIGITS + 1, "0");
  const fraction = digits.slice(-DIGITS).replace(/0+$/, "");
  const whole = digits.slice(0, -DIGITS);
  return fraction === "" ? whole : `${whole}.${fraction}`;
}

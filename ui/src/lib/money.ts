/**
 * Money in the window: nano-dollars (1 USD = 1,000,000,000) as decimal strings, handled as BigInt.
 * A JavaScript number never takes part in arithmetic on money; `toPlotNumber` is for pixels only.
 */
const NANO_DIGITS = 9;
const NANO_PER_USD = 1_000_000_000n;
/** Below this a row shows `< $0.00001` instead of a figure that would round to nothing. */
const SMALLEST_SHOWN = 10_000n;

export function parseNano(value: string): bigint {
  return /^-?\d+$/.test(value) ? BigInt(value) : 0n;
}

export function sumNano(values: readonly string[]): string {
  return values.reduce((total, value) => total + parseNano(value), 0n).toString();
}

export function compareNano(a: string, b: string): number {
  const difference = parseNano(a) - parseNano(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function isZeroNano(value: string): boolean {
  return parseNano(value) === 0n;
}

/** Nano-dollars of typed dollars; null when nothing is typed, undefined when it is no amount. */
export function parseUsd(usd: string): string | null | undefined {
  const text = usd.trim().replace(/^\$/, "").replaceAll(",", "");
  if (text === "") return null;
  const match = /^(\d{0,10})(?:\.(\d{0,9}))?$/.exec(text);
  if (!match || text === ".") return undefined;
  const whole = match[1] ?? "";
  const fraction = (match[2] ?? "").padEnd(9, "0");
  return BigInt(`${whole === "" ? "0" : whole}${fraction}`).toString();
}

/** For the height of a bar only; loses digits past 2^53 nano-dollars. */
export function toPlotNumber(value: string): number {
  return Number(parseNano(value)) / Number(NANO_PER_USD);
}

/** Every digit: `$0.00342`, `$1,284.0712345`, at least two decimals. */
export function formatMoneyExact(value: string): string {
  const { sign, whole, fraction } = split(parseNano(value));
  const trimmed = fraction.replace(/0+$/, "").padEnd(2, "0");
  return `${sign}$${group(whole)}.${trimmed}`;
}

/** Five significant digits, for rows: `$0.0034212`, `$12.345`, `$1,234.6`; never zero for a cost that is not. */
export function formatMoneyRow(value: string): string {
  const nano = parseNano(value);
  if (nano === 0n) return "$0";
  const magnitude = abs(nano);
  const sign = nano < 0n ? "−" : "";
  if (magnitude < SMALLEST_SHOWN) return `${sign}< $0.00001`;
  const digits = magnitude.toString().length;
  const drop = Math.min(Math.max(digits - 5, 0), NANO_DIGITS - 2);
  const rounded = roundHalfEven(magnitude, 10n ** BigInt(drop));
  const { whole, fraction } = split(rounded);
  const kept = fraction.slice(0, NANO_DIGITS - drop).replace(/0+$/, "");
  return `${sign}$${group(whole)}.${kept.padEnd(2, "0")}`;
}

/** Two decimals, for totals: `$1,284.07`; a total under one cent keeps its significant digits. */
export function formatMoneyTotal(value: string): string {
  const nano = parseNano(value);
  if (nano === 0n) return "$0.00";
  if (abs(nano) < NANO_PER_USD / 100n) return formatMoneyRow(value);
  const { sign, whole, fraction } = split(roundHalfEven(nano, 10_000_000n));
  return `${sign}$${group(whole)}.${fraction.slice(0, 2)}`;
}

/** Change from `before` to `now` in per cent; undefined when there was nothing before. */
export function changePercent(now: string, before: string): number | undefined {
  const base = parseNano(before);
  if (base === 0n) return undefined;
  return Number(((parseNano(now) - base) * 10_000n) / base) / 100;
}

/** Share of `total`, 0..1; 0 when the total is 0. */
export function shareOf(value: string, total: string): number {
  const whole = parseNano(total);
  if (whole === 0n) return 0;
  return Number((parseNano(value) * 1_000_000n) / whole) / 1_000_000;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function split(nano: bigint): { sign: string; whole: string; fraction: string } {
  const magnitude = abs(nano);
  return {
    sign: nano < 0n ? "−" : "",
    whole: (magnitude / NANO_PER_USD).toString(),
    fraction: (magnitude % NANO_PER_USD).toString().padStart(NANO_DIGITS, "0"),
  };
}

function group(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** `value` rounded to a multiple of `step`, ties to the even multiple. */
function roundHalfEven(value: bigint, step: bigint): bigint {
  const negative = value < 0n;
  const magnitude = abs(value);
  const quotient = magnitude / step;
  const twice = (magnitude % step) * 2n;
  const up = twice > step || (twice === step && quotient % 2n === 1n);
  const rounded = (quotient + (up ? 1n : 0n)) * step;
  return negative ? -rounded : rounded;
}

const grouped = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

/** `12,345`; takes a counter string of any size. */
export function formatCount(value: number | string): string {
  return typeof value === "number" ? grouped.format(value) : grouped.format(toBigInt(value));
}

/** `12.3K`, for axes and tight places; always with the exact figure next to it or in a tooltip. */
export function formatCompact(value: number | string): string {
  return typeof value === "number" ? compact.format(value) : compact.format(toBigInt(value));
}

/** `98.4 %`; a share that is not all or nothing never shows as 100 % or 0 %. */
export function formatPercent(share: number): string {
  if (share <= 0) return "0 %";
  if (share >= 1) return "100 %";
  const percent = share * 100;
  if (percent < 0.1) return "< 0.1 %";
  if (percent > 99.9) return "> 99.9 %";
  return `${percent.toFixed(1)} %`;
}

/** `1 request`, `2 requests`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

function toBigInt(value: string): bigint {
  return /^-?\d+$/.test(value) ? BigInt(value) : 0n;
}

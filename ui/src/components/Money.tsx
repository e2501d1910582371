import { Tooltip } from "@mantine/core";
import { formatMoneyExact, formatMoneyRow, formatMoneyTotal } from "@/lib/money";

type Props = {
  /** Nano-dollars; null when it is not known (unpriced, still in flight). */
  value: string | null;
  /** `row`: five significant digits. `total`: two decimals. */
  format?: "row" | "total";
  /** What to show when there is no value; never a zero. */
  absent?: string;
};

/** An amount. The exact value is in the tooltip, and is what gets copied. */
export function Money({ value, format = "row", absent = "–" }: Props) {
  if (value === null) return <span className="muted">{absent}</span>;
  const exact = formatMoneyExact(value);
  return (
    <Tooltip label={exact}>
      <span className="tabular" data-nano={value} onCopy={(event) => copyExact(event, exact)}>
        {format === "row" ? formatMoneyRow(value) : formatMoneyTotal(value)}
      </span>
    </Tooltip>
  );
}

/** Copying an amount copies all its digits, without the sign and the grouping. */
function copyExact(event: React.ClipboardEvent, exact: string): void {
  event.clipboardData.setData("text/plain", exact.replace("$", "").replaceAll(",", ""));
  event.preventDefault();
}

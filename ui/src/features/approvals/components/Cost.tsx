import type { ApprovalRow } from "@/bindings";
import { Money } from "@/components/Money";
import { parseNano } from "@/lib/money";

/** The most a request may cost; what a change means in a month. */
export function Cost({ row }: { row: ApprovalRow }) {
  if (row.kind === "request") return <Money value={row.max_cost} absent="no bound" />;
  if (row.monthly_impact === null) return <span className="muted">not known</span>;
  return (
    <span className="tabular">
      <MonthlyCost value={row.monthly_impact} absent="" /> a month
    </span>
  );
}

/** More or less in a month, with its sign. */
export function MonthlyCost({ value, absent }: { value: string | null; absent: string }) {
  if (value === null) return absent;
  return (
    <>
      {parseNano(value) > 0n ? "+" : ""}
      <Money value={value} format="total" />
    </>
  );
}

import { IconCalculator } from "@tabler/icons-react";
import type { CostImpact } from "@/bindings";
import { StatusBadge } from "./StatusBadge";

/** What a change would have meant for the cost of the last 30 days. Always an estimate, and said to be one. */
export function MonthImpact({ impact }: { impact: CostImpact }) {
  return (
    <p data-testid="month-impact">
      <StatusBadge tone="info" icon={IconCalculator}>
        Estimate
      </StatusBadge>{" "}
      {impact.text}
    </p>
  );
}

import type { CostImpact } from "@/bindings";

/** What every made-up change would have meant for the last 30 days. */
export function monthImpact(): CostImpact {
  return {
    text: "About − $12.40 a month, told by 280 of 18204 requests on 14 days of the last 30.",
    monthly: "-12400000000",
    days: 14,
    requests: 18_204,
    sampled: 280,
  };
}

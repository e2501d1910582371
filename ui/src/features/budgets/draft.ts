import type {
  Budget,
  BudgetAction,
  BudgetDraft,
  BudgetPeriod,
  BudgetScopeKind,
  ThresholdSeverity,
} from "@/bindings";
import { parseUsd } from "@/lib/money";
import { isForEach } from "./model";

/** A budget as it is typed: amounts stay text until they are sent. */
export type TypedBudget = {
  name: string;
  kind: BudgetScopeKind;
  value: string;
  period: BudgetPeriod;
  zone: string;
  usd: string;
  tokens: string;
  requests: string;
  thresholds: readonly { percent: string; severity: ThresholdSeverity }[];
  action: BudgetAction;
  overrun: string;
  enabled: boolean;
  reason: string;
};

/** What most budgets of money are, as the backend has it too. */
export const NEW_BUDGET: TypedBudget = {
  name: "",
  kind: "global",
  value: "",
  period: "day",
  zone: "UTC",
  usd: "",
  tokens: "",
  requests: "",
  thresholds: [
    { percent: "50", severity: "warning" },
    { percent: "80", severity: "warning" },
    { percent: "100", severity: "critical" },
  ],
  action: "block",
  overrun: "5",
  enabled: true,
  reason: "",
};

export function typedOf(budget: Budget): TypedBudget {
  return {
    name: budget.name,
    kind: budget.scope.kind,
    value: budget.scope.value ?? "",
    period: budget.period,
    zone: budget.zone,
    usd: usdOf(budget.limits.cost ?? null),
    tokens: budget.limits.tokens ?? "",
    requests: budget.limits.requests ?? "",
    thresholds: budget.thresholds.map(({ percent, severity }) => ({
      percent: String(percent),
      severity,
    })),
    action: budget.action,
    overrun: String(budget.overrun_percent),
    enabled: budget.enabled,
    reason: "",
  };
}

/** What is sent, and what cannot be sent as it was typed, by field. */
export function toDraft(
  typed: TypedBudget,
  budget: Budget | undefined,
): { draft: BudgetDraft; faults: Record<string, string> } {
  const faults: Record<string, string> = {};
  const cost = parseUsd(typed.usd);
  if (cost === undefined) faults["limits.cost"] = "An amount in US dollars, such as 5 or 0.25.";
  const tokens = countOf(typed.tokens);
  if (tokens === undefined) faults["limits.tokens"] = "A whole number of tokens.";
  const requests = countOf(typed.requests);
  if (requests === undefined) faults["limits.requests"] = "A whole number of requests.";
  const overrun = percentOf(typed.overrun);
  if (overrun === undefined) faults["overrun_percent"] = "From 0 to 100 %.";
  const thresholds = typed.thresholds.map(({ percent, severity }) => ({
    percent: percentOf(percent),
    severity,
  }));
  if (thresholds.some(({ percent }) => percent === undefined || percent < 1))
    faults["thresholds"] = "Each from 1 to 100 %.";
  return {
    faults,
    draft: {
      id: budget?.id ?? null,
      base_version: budget?.version ?? null,
      name: typed.name.trim(),
      scope: {
        kind: typed.kind,
        value: hasValue(typed.kind) ? typed.value.trim() : null,
      },
      period: typed.period,
      zone: typed.zone === "" ? null : typed.zone,
      limits: { cost: cost ?? null, tokens: tokens ?? null, requests: requests ?? null },
      thresholds: thresholds.map(({ percent, severity }) => ({ percent: percent ?? 0, severity })),
      action: typed.action,
      overrun_percent: overrun ?? 0,
      enabled: typed.enabled,
      reason: typed.reason.trim() === "" ? null : typed.reason.trim(),
    },
  };
}

/** Whether a scope names one thing. */
export function hasValue(kind: BudgetScopeKind): boolean {
  return kind !== "global" && !isForEach(kind);
}

/** How many fields differ from the budget as it is; the reason is no change. */
export function countChanges(typed: TypedBudget, budget: Budget | undefined): number {
  const before = budget ? typedOf(budget) : NEW_BUDGET;
  const fields = Object.keys(before) as (keyof TypedBudget)[];
  return fields.filter(
    (field) => field !== "reason" && JSON.stringify(typed[field]) !== JSON.stringify(before[field]),
  ).length;
}

function usdOf(nano: string | null): string {
  if (nano === null) return "";
  const digits = nano.padStart(10, "0");
  const fraction = digits.slice(-9).replace(/0+$/, "");
  const whole = digits.slice(0, -9);
  return fraction === "" ? whole : `${whole}.${fraction.padEnd(2, "0")}`;
}

function countOf(text: string): string | null | undefined {
  const digits = text.trim().replaceAll(",", "");
  if (digits === "") return null;
  return /^\d{1,18}$/.test(digits) ? BigInt(digits).toString() : undefined;
}

function percentOf(text: string): number | undefined {
  const trimmed = text.trim();
  return /^\d{1,3}$/.test(trimmed) && Number(trimmed) <= 100 ? Number(trimmed) : undefined;
}

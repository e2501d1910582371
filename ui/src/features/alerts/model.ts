import type { LinkProps } from "@tanstack/react-router";
import type { Alert, AlertFilter, AlertSeverity } from "@/bindings";
import type { Tone } from "@/components/StatusBadge";
import type { AlertsSearch } from "./search";

/** What the backend is asked for, from the URL. */
export function filterOf(search: AlertsSearch): AlertFilter {
  // An address may have been typed: what is no severity is left out.
  const known = SEVERITIES.find(({ severity }) => severity === search.severity);
  return {
    ...(search.kind === undefined ? {} : { kind: search.kind }),
    ...(known === undefined ? {} : { severity: known.severity }),
    open: search.show !== "all",
  };
}

export const SEVERITIES: readonly { severity: AlertSeverity; word: string; tone: Tone }[] = [
  { severity: "critical", word: "Critical", tone: "critical" },
  { severity: "warning", word: "Warning", tone: "warn" },
  { severity: "info", word: "Info", tone: "info" },
];

export function severityOf(severity: AlertSeverity): { word: string; tone: Tone } {
  return (
    SEVERITIES.find((known) => known.severity === severity) ?? { word: severity, tone: "neutral" }
  );
}

/** Whether it still asks for a person. */
export function isOpen(alert: Alert): boolean {
  return alert.acknowledged_at === null && alert.resolved_at === null;
}

/** How it stands, in words. */
export function stateWords(alert: Alert): string {
  if (alert.acknowledged_by !== null) return `Seen by ${alert.acknowledged_by}`;
  return alert.resolved_at === null ? "Open" : "Over";
}

type Place = { words: string; to: NonNullable<LinkProps["to"]>; search: Record<string, string> };

/** Where the thing it is about is looked after, if this window has such a place. */
export function placeOf(alert: Pick<Alert, "kind" | "subject">): Place | undefined {
  const { kind, subject } = alert;
  const slash = subject.indexOf("/");
  const target: Record<string, string> =
    slash > 0
      ? { provider: subject.slice(0, slash), model: subject.slice(slash + 1) }
      : { provider: subject };
  switch (kind) {
    case "circuit_opened":
    case "circuit_closed":
    case "failover_limit":
    case "credential_invalid":
      return { words: "Show it among the providers", to: "/providers", search: target };
    case "unpriced_usage":
      return {
        words: "Give it a price",
        to: "/prices",
        search: { price: subject },
      };
    case "budget_threshold":
    case "budget_exhausted":
    case "overspend_forecast":
      return { words: "Show the budget", to: "/budgets", search: { budget: subject } };
    case "overrun":
      return { words: "Show the request", to: "/logs", search: { request: subject } };
    case "key_expiring":
      return { words: "Show the key", to: "/keys", search: { key: subject } };
    case "approval_waiting":
    case "approval_expiring":
      return { words: "Show it in the queue", to: "/approvals", search: { approval: subject } };
    case "kill_switch":
    case "toggle_tampered":
      return { words: "Show the toggles", to: "/toggles", search: {} };
    case "model_blocked":
      return { words: "Look at its price", to: "/prices", search: { price: subject } };
    case "history_broken":
      return { words: "Show the change history", to: "/changes", search: {} };
    default:
      return undefined;
  }
}

/** What the Approvals screen derives from an approval: words, shares of bars, what the desk has to know. */

import { z } from "zod";
import type { Tone } from "@/components/StatusBadge";
import {
  compareNano,
  formatMoneyExact,
  formatMoneyTotal,
  parseNano,
  shareOf,
  sumNano,
} from "@/lib/money";
import { formatCount, plural } from "@/lib/numbers";
import { mixedScripts } from "@/lib/text";
import type { ApprovalKind, BudgetEffect, Risk, ApprovalRow, ApprovalState } from "@/bindings";
import type { Gone, Paper } from "./desk";

export const RISKS: Record<Risk, { word: string; tone: Tone }> = {
  low: { word: "Low risk", tone: "neutral" },
  medium: { word: "Medium risk", tone: "warn" },
  high: { word: "High risk", tone: "critical" },
};

export const STATES: Record<ApprovalState, { word: string; tone: Tone }> = {
  pending: { word: "Pending", tone: "info" },
  approved: { word: "Approved", tone: "ok" },
  rejected: { word: "Rejected", tone: "critical" },
  expired: { word: "Expired", tone: "neutral" },
  withdrawn: { word: "Withdrawn", tone: "neutral" },
  consumed: { word: "Used", tone: "ok" },
  applied: { word: "Applied", tone: "ok" },
  failed: { word: "Failed", tone: "critical" },
};

/** What a person may say with one click. */
export const REASONS: Record<ApprovalKind, readonly string[]> = {
  request: ["Too expensive", "Not needed", "Wrong target", "Purpose not clear"],
  change: ["Too expensive", "Not now", "Not needed", "Purpose not clear"],
};

/** What the desk has to know of a row. */
export function paperOf(row: ApprovalRow): Paper {
  return {
    id: row.id,
    fingerprint: row.hash,
    risk: row.risk,
    expiresAtMs: Date.parse(row.expires_at),
    alike: [row.kind, row.subject, row.target ?? ""].join("\n"),
    maxCost: row.max_cost,
    typedWords: typedWords(row),
  };
}

/** What can be typed to approve something of high risk: its amount without the sign, its target; else its name. */
export function typedWords(row: ApprovalRow): string[] {
  const amount = row.max_cost ?? row.monthly_impact;
  const words = [
    ...(amount === null || parseNano(amount) === 0n
      ? []
      : [formatMoneyTotal(amount).replaceAll(/[$,−]/g, "")]),
    ...(row.target === null ? [] : [row.target]),
  ];
  return words.length > 0 ? words : [row.subject];
}

/** The most that all of them may cost together. */
export function totalCost(papers: readonly Paper[]): string {
  return sumNano(papers.map((paper) => paper.maxCost ?? "0"));
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A length of time in one or two words, for an age or a rest: `45 s`, `12 min`, `3 h`, `2 d`. */
export function spanWords(ms: number): string {
  const rest = Math.max(ms, 0);
  if (rest < MINUTE_MS) return `${Math.floor(rest / 1_000)} s`;
  if (rest < HOUR_MS) return `${Math.floor(rest / MINUTE_MS)} min`;
  if (rest < 48 * HOUR_MS) return `${Math.floor(rest / HOUR_MS)} h`;
  return `${Math.floor(rest / (24 * HOUR_MS))} d`;
}

/** How much of its time an approval still has, 0..1. */
export function leftShare(row: ApprovalRow, nowMs: number): number {
  const whole = Date.parse(row.expires_at) - Date.parse(row.created_at);
  if (!(whole > 0)) return 0;
  return Math.min(Math.max((Date.parse(row.expires_at) - nowMs) / whole, 0), 1);
}

/** Less than a tenth of the time, or a quarter of an hour: soon enough to say so in colour. */
export function expiresSoon(row: ApprovalRow, nowMs: number): boolean {
  const left = Date.parse(row.expires_at) - nowMs;
  return left < 15 * MINUTE_MS || leftShare(row, nowMs) < 0.1;
}

/** Why the pane is locked, in a sentence. */
export function goneWords(gone: Gone, row: ApprovalRow | undefined): string {
  switch (gone) {
    case "expired":
      return "It has expired. A program that still wants it asks again.";
    case "changed":
      return "It has changed since you opened it. Look at it as it is now before you decide.";
    case "approved":
      return "You approved it.";
    case "rejected":
      return "You rejected it.";
    case "left":
      return leftWords(row);
  }
}

function leftWords(row: ApprovalRow | undefined): string {
  if (!row || row.state === "pending") return "It no longer waits in the queue.";
  const by = row.decided_by === null ? "" : ` by ${row.decided_by}`;
  return `It is no longer waiting: ${STATES[row.state].word.toLowerCase()}${by}.`;
}

/** The verb with its object and its bound, for the button that decides: "Approve up to $0.40". */
export function approveWords(row: Pick<ApprovalRow, "kind" | "max_cost">): string {
  if (row.kind === "change") return "Approve and apply";
  return row.max_cost === null
    ? "Approve at any cost"
    : `Approve up to ${exactMoney(row.max_cost)}`;
}

export const GONE_WORDS: Record<Gone, string> = {
  expired: "Expired",
  changed: "Changed",
  left: "Gone",
  approved: "Approved",
  rejected: "Rejected",
};

/** A row of the queue for those who hear it: "contract_review for nightly-planner, high risk, up to $12.40, 23 h left". */
export function rowLabel(row: ApprovalRow, gone: Gone | undefined, nowMs: number): string {
  return [
    `${row.subject} for ${row.submitter}`,
    RISKS[row.risk].word.toLowerCase(),
    ...(row.max_cost === null ? [] : [`up to ${exactMoney(row.max_cost)}`]),
    gone ? GONE_WORDS[gone].toLowerCase() : `${spanWords(Date.parse(row.expires_at) - nowMs)} left`,
  ].join(", ");
}

/** A budget's bar: where it stands now, where it would stand with the request, its limit; and all of it in words. */
export function effectShares(effect: BudgetEffect) {
  const { name, measure, before, after, limit, passes } = effect;
  const then = after ?? before;
  const width = compareNano(then, limit) > 0 ? then : limit;
  const amount = (value: string) =>
    measure === "cost" ? formatMoneyExact(value) : `${formatCount(value)} ${measure}`;
  const words = after === null ? "not known" : amount(after);
  return {
    now: shareOf(before, width),
    next: shareOf(then, width),
    limitAt: shareOf(limit, width),
    label: `${name}: ${amount(before)} now, ${words} with this request, of ${amount(limit)}${passes ? ". It would pass the limit" : ""}`,
  };
}

/** A bound is never rounded on the button that accepts it. */
export function exactMoney(nano: string): string {
  return formatMoneyExact(nano);
}

/** What is confirmed, in a sentence. */
export function questionWords(row: ApprovalRow, target: string | null): string {
  if (row.kind === "change") return `Apply this change of ${row.subject}?`;
  const where = target ?? row.target;
  return `Let ${row.subject} run once${where === null ? "" : ` on ${where}`}?`;
}

const impactSchema = z.object({
  text: z.string().nullable().catch(null),
  requests: z.number().nullable().catch(null),
  days: z.number().nullable().catch(null),
});

/** What the estimate of a change says in words, and what it rests on. */
export function impactWords(impact: string | null): { text: string | null; rests: string | null } {
  const read = impactSchema.safeParse(parsed(impact));
  if (!read.success) return { text: null, rests: null };
  const { text, requests, days } = read.data;
  const rests =
    requests === null || days === null
      ? null
      : `Estimated from ${plural(requests, "request")} of the last ${formatCount(days)} days.`;
  return { text, rests };
}

function parsed(json: string | null): unknown {
  try {
    return json === null ? null : JSON.parse(json);
  } catch {
    return null;
  }
}

/** A sentence of several parts, one per line. */
export function sentenceParts(sentence: string): string[] {
  return sentence.split("; ").filter((part) => part !== "");
}

/** How the backend writes a character that nobody would see. */
const WRITTEN_OUT = /\u27e8U\+[0-9A-F]{4,6}\u27e9/g;

/** What in a text may deceive the eye, in sentences; nothing when all is plain. */
export function suspicions(text: string): string[] {
  const hidden = text.match(WRITTEN_OUT)?.length ?? 0;
  const mixed = mixedScripts(text);
  const some = mixed.slice(0, 3).join(", ");
  return [
    ...(hidden > 0 ? [`${plural(hidden, "hidden character")} made visible below.`] : []),
    ...(mixed.length > 0
      ? [`${plural(mixed.length, "word")} with letters of two alphabets: ${some}.`]
      : []),
  ];
}

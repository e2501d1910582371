import type { Change } from "@/bindings";
import type { FakeMode } from "./mode";

type Row = Pick<
  Change,
  | "actor"
  | "source"
  | "kind"
  | "subject"
  | "sentence"
  | "before"
  | "after"
  | "reason"
  | "revertible"
>;

/** An operation with its route, as the backend keeps it in the history. */
function routeState(version: number, targets: string[]): string {
  return JSON.stringify({
    operation: {
      id: "chat_message",
      description: "Answers a person in a conversation.",
      capability: "chat",
      criticality: "high",
      enabled: true,
      batch_eligible: false,
      cacheable: false,
    },
    route: {
      operation: "chat_message",
      version,
      strategy: "in_order",
      targets: targets.map((target) => ({ target, enabled: true })),
    },
  });
}

const ROWS: Row[] = [
  {
    actor: "admin",
    source: "window",
    kind: "route",
    subject: "chat_message",
    sentence: "openai/gpt-5-mini moves to second",
    before: routeState(6, ["deepseek/deepseek-chat", "simulator/echo", "openai/gpt-5-mini"]),
    after: routeState(7, ["deepseek/deepseek-chat", "openai/gpt-5-mini", "simulator/echo"]),
    reason: "The simulator must not stand before a real model.",
    revertible: true,
  },
  {
    actor: "admin",
    source: "cli",
    kind: "model",
    subject: "deepseek/deepseek-chat",
    sentence: "deepseek/deepseek-chat has new prices from 2026-11-20 on",
    before: '{"input_per_mtok":"270000000","output_per_mtok":"870000000"}',
    after: '{"input_per_mtok":"270000000","output_per_mtok":"1100000000"}',
    reason: null,
    revertible: false,
  },
  {
    actor: "admin",
    source: "window",
    kind: "credential",
    subject: "anthropic",
    sentence: "anthropic has a new credential (…a91f)",
    before: null,
    after: '{"hint":"…a91f"}',
    reason: null,
    revertible: false,
  },
  {
    actor: "admin",
    source: "window",
    kind: "key",
    subject: "support-desk",
    sentence: "Key support-desk is created for all operations",
    before: null,
    after: '{"name":"support-desk","operations":[]}',
    reason: null,
    revertible: false,
  },
  {
    actor: "ines",
    source: "cli",
    kind: "provider",
    subject: "gemini",
    sentence: "gemini moves to https://generativelanguage.googleapis.com/v1beta/openai",
    before:
      '{"name":"gemini","kind":"openai","base_url":"https://generativelanguage.googleapis.com/v1beta","enabled":true,"version":1}',
    after:
      '{"name":"gemini","kind":"openai","base_url":"https://generativelanguage.googleapis.com/v1beta/openai","enabled":true,"version":2}',
    reason: null,
    revertible: true,
  },
];

const INSTALL: Row = {
  actor: "signalbox",
  source: "install",
  kind: "install",
  subject: "installation",
  sentence: "Signalbox is installed with ten operations and eight providers",
  before: null,
  after: null,
  reason: null,
  revertible: false,
};

/** How often the five changes above happened, by how much there is to see. */
const ROUNDS: Record<FakeMode, number> = {
  normal: 4,
  empty: 0,
  error: 0,
  loading: 0,
  large: 2_000,
  sealed: 4,
};

export function makeChanges(nowMs: number, mode: FakeMode): Change[] {
  const rows = [...Array.from({ length: ROUNDS[mode] }, () => ROWS).flat(), INSTALL];
  return rows.map((row, index) => ({
    ...row,
    seq: rows.length - index,
    id: `chg_01j9x00000000000000000${rows.length - index}`,
    at: new Date(nowMs - index * 9_000_000 - 240_000).toISOString(),
    approval: null,
    hash: ((index + 7) * 7_919_777_777).toString(16).padStart(12, "a").slice(0, 12),
  }));
}

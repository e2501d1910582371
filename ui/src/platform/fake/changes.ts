import type { Change } from "@/bindings";

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

const ROWS: Row[] = [
  {
    actor: "admin",
    source: "window",
    kind: "route",
    subject: "chat_message",
    sentence: "openai/gpt-5-mini moves from third to second; simulator/echo moves to third.",
    before:
      '{"enabled":true,"targets":["deepseek/deepseek-chat","simulator/echo","openai/gpt-5-mini"]}',
    after:
      '{"enabled":true,"targets":["deepseek/deepseek-chat","openai/gpt-5-mini","simulator/echo"]}',
    reason: "The simulator must not stand before a real model.",
    revertible: true,
  },
  {
    actor: "admin",
    source: "cli",
    kind: "price",
    subject: "deepseek/deepseek-chat",
    sentence: "Output of deepseek/deepseek-chat costs $1.10 instead of $0.87 per million tokens.",
    before: '{"output_per_mtok":"870000000"}',
    after: '{"output_per_mtok":"1100000000"}',
    reason: null,
    revertible: false,
  },
  {
    actor: "admin",
    source: "window",
    kind: "credential",
    subject: "anthropic",
    sentence: "A credential was set for anthropic (…a91f).",
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
    sentence: "The key support-desk was created for all operations.",
    before: null,
    after: '{"name":"support-desk","operations":[]}',
    reason: null,
    revertible: false,
  },
  {
    actor: "admin",
    source: "window",
    kind: "provider",
    subject: "gemini",
    sentence: "The provider gemini was added.",
    before: null,
    after:
      '{"name":"gemini","kind":"openai","base_url":"https://generativelanguage.googleapis.com/v1beta/openai"}',
    reason: null,
    revertible: false,
  },
];

const INSTALL: Row = {
  actor: "signalbox",
  source: "install",
  kind: "setting",
  subject: "defaults",
  sentence: "Signalbox was installed with ten operations and eight providers.",
  before: null,
  after: '{"operations":10,"providers":8}',
  reason: null,
  revertible: false,
};

export function makeChanges(nowMs: number, empty: boolean): Change[] {
  const rows = empty ? [INSTALL] : [...ROWS, ...ROWS, ...ROWS, ...ROWS, INSTALL];
  return rows.map((row, index) => ({
    ...row,
    seq: rows.length - index,
    id: `chg_01j9x00000000000000000${rows.length - index}`,
    at: new Date(nowMs - index * 9_000_000 - 240_000).toISOString(),
    hash: ((index + 7) * 7_919_777_777).toString(16).padStart(12, "a").slice(0, 12),
  }));
}

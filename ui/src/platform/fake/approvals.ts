import type { ApprovalDetail, ApprovalRow, BudgetEffect, Risk } from "@/bindings";
import type { Commands } from "../types";
import { addChange, type Answer, failed, ok } from "./answer";
import type { FakeMode } from "./mode";
import { announce, iso, type World } from "./world";

const MINUTE = 60_000;
const DAY = 86_400_000;
const UNDO_MS = 5_000;
const RISKS: readonly Risk[] = ["high", "medium", "low"];

/** How many more of the first kind wait, by how much there is to see. */
const MORE: Record<FakeMode, number> = {
  normal: 4,
  empty: 0,
  error: 0,
  loading: 0,
  sealed: 4,
  large: 10_000,
};

export function makeApprovals(nowMs: number, mode: FakeMode): ApprovalDetail[] {
  if (mode === "empty") return [];
  const all = [
    bigRequest(nowMs),
    strangeRequest(nowMs),
    routeChange(nowMs),
    ownChange(nowMs),
    ...Array.from({ length: 1 + MORE[mode] }, (_, index) => summary(nowMs, index)),
    ...decided(nowMs),
  ];
  return all.map((detail, index) => ({
    ...detail,
    row: { ...detail.row, id: `apr_01j9x00000000000000${String(index).padStart(6, "0")}` },
  }));
}

export function pendingCount(world: World): number {
  return world.approvals.filter(({ row }) => row.state === "pending").length;
}

export function approvalCommands(
  world: World,
  answer: Answer,
): Pick<
  Commands,
  | "approvalsPage"
  | "approvalShow"
  | "approvalApprove"
  | "approvalReject"
  | "approvalUndo"
  | "approvalWithdraw"
  | "quickOpen"
  | "quickClose"
  | "queueOpen"
  | "quickApprove"
> {
  const onPending = (
    { id, hash }: { id: string; hash: string },
    change: (row: ApprovalRow) => Partial<ApprovalRow>,
  ) =>
    answer(() => {
      const found = world.approvals.find(({ row }) => row.id === id);
      if (!found) return failed("not_found", "There is no approval of that id.");
      const { row } = found;
      if (row.state !== "pending") return failed("conflict", `It is ${row.state} already.`);
      if (row.hash !== hash) return failed("conflict", "It is another request than was shown.");
      if (!found.may_decide.allowed) return failed("forbidden", found.may_decide.why ?? "");
      found.row = { ...row, decided_by: "local", decided_at: iso(Date.now()), ...change(row) };
      addChange(world, {
        kind: "approval",
        subject: row.subject,
        sentence: `${row.subject}: ${found.row.state}`,
        before: null,
        after: JSON.stringify({ state: found.row.state }),
        reason: found.row.reason,
        revertible: false,
      });
      announce(world, ["approvals", "status", "changes"]);
      return ok({ ...found.row });
    });
  return {
    approvalsPage: (which, cursor, limit) =>
      answer(() => {
        const all = world.approvals.map(({ row }) => row);
        const pending = all.filter((row) => row.state === "pending").toSorted(byUrgency);
        const over = all.filter((row) => row.state !== "pending").toSorted(byDecision);
        const list = which === "decided" ? over : pending;
        const start = cursor === null ? 0 : list.findIndex((row) => row.id === cursor) + 1;
        const rows = list.slice(start, start + limit).map((row) => ({ ...row }));
        return ok({
          rows,
          next: start + limit < list.length ? (rows.at(-1)?.id ?? null) : null,
          pending: pending.length,
          decided_this_week: over.length,
        });
      }),
    approvalShow: (id) =>
      answer(() => {
        const found = world.approvals.find(({ row }) => row.id === id);
        return found ? ok({ ...found }) : failed("not_found", "There is no approval of that id.");
      }),
    approvalApprove: ({ target, reason, ...shown }) =>
      onPending(shown, () => ({ state: "approved", decided_target: target, reason })),
    quickOpen: () => answer(() => ok(null)),
    quickClose: () => answer(() => ok(null)),
    queueOpen: () => answer(() => ok(null)),
    quickApprove: ({ target, reason, ...shown }) =>
      onPending(shown, () => ({ state: "approved", decided_target: target, reason })),
    approvalReject: ({ reason, ...shown }) =>
      onPending(shown, () => ({ state: "rejected", reason })),
    approvalWithdraw: ({ id, reason }) =>
      answer(() => {
        const found = world.approvals.find(({ row }) => row.id === id);
        if (!found) return failed("not_found", "There is no approval of that id.");
        found.row = { ...found.row, state: "withdrawn", decided_at: iso(Date.now()), reason };
        announce(world, ["approvals", "status", "changes"]);
        return ok({ ...found.row });
      }),
    approvalUndo: (id) =>
      answer(() => {
        const found = world.approvals.find(({ row }) => row.id === id);
        const at = Date.parse(found?.row.decided_at ?? "");
        if (!found || Number.isNaN(at)) return failed("not_found", "There is no such decision.");
        if (Date.now() - at > UNDO_MS)
          return failed("refused", "A decision can be taken back for 5 seconds.");
        found.row = {
          ...found.row,
          state: "pending",
          decided_by: null,
          decided_at: null,
          decided_target: null,
          reason: null,
        };
        announce(world, ["approvals", "status", "changes"]);
        return ok({ ...found.row });
      }),
  };
}

function byUrgency(a: ApprovalRow, b: ApprovalRow): number {
  return RISKS.indexOf(a.risk) - RISKS.indexOf(b.risk) || a.created_at.localeCompare(b.created_at);
}

function byDecision(a: ApprovalRow, b: ApprovalRow): number {
  return (b.decided_at ?? b.expires_at).localeCompare(a.decided_at ?? a.expires_at);
}

function row(nowMs: number, ageMs: number, patch: Partial<ApprovalRow>): ApprovalRow {
  return {
    id: "",
    kind: "request",
    state: "pending",
    risk: "low",
    hash: "0".repeat(64),
    subject: "chat_message",
    sentence: "",
    target: null,
    max_cost: null,
    monthly_impact: null,
    submitter: "support-desk",
    origin: "API key",
    created_at: iso(nowMs - ageMs),
    expires_at: iso(nowMs - ageMs + DAY),
    repeats: 0,
    own: false,
    request_id: null,
    undo_until: null,
    decided_by: null,
    decided_at: null,
    reason: null,
    decided_target: null,
    ...patch,
  };
}

function detail(of: ApprovalRow, patch: Partial<Omit<ApprovalDetail, "row">> = {}): ApprovalDetail {
  const isRequest = of.kind === "request";
  return {
    row: of,
    method: isRequest ? "POST" : null,
    path: isRequest ? "/v1/chat/completions" : null,
    shown: null,
    reasons: [],
    targets: of.target === null ? [] : [of.target],
    parameters: [],
    user: null,
    tags: [],
    tokens_in: null,
    budgets: isRequest && of.state === "pending" ? effects(of) : [],
    previous: null,
    other_targets: isRequest ? ["openai/gpt-5-mini", "simulator/echo"] : [],
    change: null,
    may_decide: { allowed: true, why: null },
    ...patch,
  };
}

/** Fifty dollars a day for everything, of which some are gone. */
function effects({ max_cost }: ApprovalRow): BudgetEffect[] {
  const day = effect("Everything, a day", "31270000000", max_cost, "50000000000");
  return [{ ...day, budget_id: "bud_01j9x0000000000000000000", action: "block" }];
}

function effect(name: string, before: string, adds: string | null, limit: string): BudgetEffect {
  const after = adds === null ? null : String(BigInt(before) + BigInt(adds));
  return {
    budget_id: "bud_01j9x0000000000000000001",
    name,
    member: "",
    action: "require_approval",
    measure: "cost",
    before,
    after,
    limit,
    passes: after !== null && BigInt(after) > BigInt(limit),
  };
}

function chat(model: string, text: string, max_tokens: number): string {
  const body = { max_tokens, messages: [{ content: text, role: "user" }], model };
  return JSON.stringify(body, null, 2);
}

function bigRequest(nowMs: number): ApprovalDetail {
  const of = row(nowMs, 47 * MINUTE, {
    risk: "high",
    hash: "9f1c27a4d0b83e6655f0c1d2aa7734e9b1a0c55d7e6f48a290133c7bd5e4f612",
    subject: "contract_review",
    sentence: "contract_review wants to read 410 pages on anthropic/claude-opus",
    target: "anthropic/claude-opus",
    max_cost: "12400000000",
    submitter: "nightly-planner",
    origin: "API key, run of nightly-planner",
    repeats: 3,
  });
  return detail(of, {
    shown: chat("op:contract_review", "Compare all 212 clauses of the attached contracts.", 64_000),
    reasons: [
      "It may cost more than $5.00.",
      "The budget “Legal” is at its limit; a person may let this request pass.",
    ],
    budgets: [
      ...effects(of),
      effect("Legal", "14200000000", of.max_cost, "20000000000"),
      {
        ...effect("Tokens of a user", "412000", "246400", "1000000"),
        member: "u-4411",
        measure: "tokens",
      },
    ],
    targets: ["anthropic/claude-opus", "openai/gpt-5"],
    parameters: [{ name: "max_tokens", value: "64000" }],
    tags: [{ name: "team", value: "legal" }],
    tokens_in: 182_400,
    previous: {
      id: "apr_01j9w0000000000000000000",
      decided_by: "ines",
      decided_at: iso(nowMs - 3 * DAY),
      differences: [
        { name: "max cost", before: "$3.10", after: "$12.40" },
        { name: "max_tokens", before: "16000", after: "64000" },
        { name: "text", before: "5be1077c29d4", after: "d0a9431f66e2" },
      ],
    },
  });
}

/** What somebody would send who hopes that nobody looks closely. */
function strangeRequest(nowMs: number): ApprovalDetail {
  const of = row(nowMs, 23 * 60 * MINUTE + 50 * MINUTE, {
    risk: "medium",
    hash: "41d7e0c95b2a8f3377c6aa90e2d4516b8f0a9c3d2e1b7f6650418293a4b5c6d7",
    subject: "invoice_payment",
    sentence: "invoice_payment wants to run on openai/gpt-5",
    target: "openai/gpt-5",
    max_cost: "412300000",
    submitter: "laptop of Ines",
  });
  return detail(of, {
    shown: chat(
      "op:invoice_payment",
      "Pay invoice 4711 to p\u0430ypal\u27e8U+200B\u27e9 account \u27e8U+202E\u27e90091-3321\u27e8U+202C\u27e9 today.",
      2_000,
    ),
    reasons: ["The route wants a person for every request."],
    user: "u-4411",
    tokens_in: 61,
  });
}

function routeChange(nowMs: number): ApprovalDetail {
  const of = row(nowMs, 2 * 60 * MINUTE, {
    kind: "change",
    risk: "medium",
    hash: "b2c5f9077e1d4a3c8890aabbccddeeff00112233445566778899aabbccddeeff",
    subject: "chat_message",
    sentence:
      "anthropic/claude-sonnet moves to first in chat_message; the first token may take 12 s instead of 20 s",
    monthly_impact: "93400000000",
    submitter: "tomas",
    origin: "window",
  });
  return detail(of, {
    change: {
      kind: "route",
      before: JSON.stringify({
        version: 7,
        strategy: "in_order",
        targets: ["deepseek/deepseek-chat", "anthropic/claude-sonnet"],
        first_token_ms: 20_000,
      }),
      after: JSON.stringify({
        version: 8,
        strategy: "in_order",
        targets: ["anthropic/claude-sonnet", "deepseek/deepseek-chat"],
        first_token_ms: 12_000,
      }),
      impact: '{"requests":18240,"days":30}',
    },
  });
}

function ownChange(nowMs: number): ApprovalDetail {
  const of = row(nowMs, 18 * MINUTE, {
    kind: "change",
    risk: "medium",
    hash: "77aa5c1e9b3d2f4860718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7",
    subject: "Everything, a day",
    sentence: "The budget of everything rises from $50 to $80 a day",
    monthly_impact: null,
    submitter: "local",
    origin: "window",
    own: true,
  });
  return detail(of, {
    may_decide: { allowed: false, why: "You asked for it yourself; another admin decides." },
    change: {
      kind: "budget",
      before: '{"limit":"50000000000","period":"day"}',
      after: '{"limit":"80000000000","period":"day"}',
      impact:
        '{"text":"A budget costs nothing by itself; it lets up to $30.00 more a day be spent."}',
    },
  });
}

function summary(nowMs: number, index: number): ApprovalDetail {
  const hash = ((index + 3) * 7_919_777_777).toString(16).padStart(16, "c").slice(0, 16).repeat(4);
  const of = row(nowMs, (4 + index) * MINUTE, {
    hash,
    subject: "email_analysis",
    sentence: "email_analysis wants to run on deepseek/deepseek-chat",
    target: "deepseek/deepseek-chat",
    max_cost: String(3_120_000 + index * 40_000),
  });
  return detail(of, {
    shown: chat("op:email_analysis", `Sort the mails of inbox ${index + 1}.`, 800),
    reasons: ["The route wants a person for every request."],
    tokens_in: 900 + index * 12,
  });
}

function decided(nowMs: number): ApprovalDetail[] {
  const over: Partial<ApprovalRow>[] = [
    { state: "consumed", decided_by: "local", decided_target: "simulator/echo" },
    { state: "rejected", decided_by: "ines", reason: "Too expensive: try the small model first" },
    { state: "expired" },
    { state: "approved", decided_by: "local" },
    { state: "withdrawn", decided_by: "support-desk" },
  ];
  return Array.from({ length: 12 }, (_, index) => {
    const age = (5 + index * 7) * 60 * MINUTE;
    const of = row(nowMs, age, {
      ...over[index % over.length],
      hash: "5e".repeat(32),
      subject: "chat_message",
      sentence: "chat_message wanted to run on openai/gpt-5-mini",
      target: "openai/gpt-5-mini",
      max_cost: "41000000",
    });
    const decided_at = of.decided_by === null ? null : iso(nowMs - age + 3 * MINUTE);
    return detail({ ...of, decided_at });
  });
}

import { expect, test } from "vitest";
import type { ApprovalRow } from "@/bindings";
import {
  approveWords,
  expiresSoon,
  goneWords,
  impactWords,
  leftShare,
  paperOf,
  questionWords,
  rowLabel,
  spanWords,
  suspicions,
  totalCost,
  typedWords,
} from "./model";

const AT = Date.parse("2026-11-21T12:00:00Z");
const HOUR = 3_600_000;

function row(patch: Partial<ApprovalRow> = {}): ApprovalRow {
  return {
    id: "apr_1",
    kind: "request",
    state: "pending",
    risk: "high",
    hash: "ab",
    subject: "contract_review",
    sentence: "contract_review wants to run",
    target: "anthropic/claude-opus",
    max_cost: "12400000000",
    monthly_impact: null,
    submitter: "nightly-planner",
    origin: "API key",
    created_at: new Date(AT - 23 * HOUR).toISOString(),
    expires_at: new Date(AT + HOUR).toISOString(),
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

test("the bound is not rounded on the button that accepts it", () => {
  expect(approveWords(row({ max_cost: "412345678" }))).toBe("Approve up to $0.412345678");
  expect(approveWords(row({ max_cost: null }))).toBe("Approve at any cost");
  expect(approveWords(row({ kind: "change" }))).toBe("Approve and apply");
});

test("a high risk is typed by its amount or its target, and by its name when it has neither", () => {
  expect(typedWords(row())).toEqual(["12.40", "anthropic/claude-opus"]);
  expect(typedWords(row({ target: null, max_cost: null, monthly_impact: "-93400000000" }))).toEqual(
    ["93.40"],
  );
  expect(typedWords(row({ target: null, max_cost: "0" }))).toEqual(["contract_review"]);
});

test("what is confirmed names the object and the target it will really run on", () => {
  expect(questionWords(row(), null)).toBe("Let contract_review run once on anthropic/claude-opus?");
  expect(questionWords(row(), "simulator/echo")).toContain("on simulator/echo");
});

function alike(patch: Partial<ApprovalRow>): string {
  return paperOf(row(patch)).alike;
}

test("only the same sort of request to the same target is alike", () => {
  expect(alike({ id: "other", max_cost: "1", submitter: "x" })).toBe(alike({}));
  expect(alike({ target: "openai/gpt-5" })).not.toBe(alike({}));
  expect(alike({ subject: "chat" })).not.toBe(alike({}));
  expect(alike({ kind: "change" })).not.toBe(alike({}));
});

test("costs of several are added without losing a nano-dollar", () => {
  const papers = ["9007199254740993", "1", null].map((max_cost) => paperOf(row({ max_cost })));
  expect(totalCost(papers)).toBe("9007199254740994");
});

test("the time that is left is a share and a word, and the last of it is said in colour", () => {
  expect(leftShare(row(), AT)).toBeCloseTo(1 / 24);
  expect(leftShare(row(), AT + 2 * HOUR)).toBe(0);
  expect(expiresSoon(row(), AT)).toBe(true);
  expect(expiresSoon(row(), AT - 12 * HOUR)).toBe(false);
  expect([45_000, 12 * 60_000, 3 * HOUR, 60 * HOUR, -1].map(spanWords)).toEqual([
    "45 s",
    "12 min",
    "3 h",
    "2 d",
    "0 s",
  ]);
});

test("a locked pane says who did what meanwhile", () => {
  const decided = row({ state: "rejected", decided_by: "ines" });
  expect(goneWords("left", decided)).toBe("It is no longer waiting: rejected by ines.");
  expect(goneWords("left", undefined)).toContain("no longer waits");
  expect(goneWords("expired", undefined)).toContain("expired");
});

test("what was hidden is counted, and letters that look alike are named", () => {
  expect(suspicions("pay p\u0430ypal\u27e8U+200B\u27e9")).toEqual([
    "1 hidden character made visible below.",
    "1 word with letters of two alphabets: p\u0430ypal.",
  ]);
  expect(suspicions("plain")).toEqual([]);
});

test("what a change means is read from its estimate, and a missing or strange one says nothing", () => {
  expect(impactWords('{"text":"About the same.","requests":12,"days":30}')).toEqual({
    text: "About the same.",
    rests: "Estimated from 12 requests of the last 30 days.",
  });
  expect(impactWords("[1]")).toEqual({ text: null, rests: null });
  expect(impactWords(null)).toEqual({ text: null, rests: null });
});

test("a row is named for those who only hear it", () => {
  expect(rowLabel(row(), undefined, AT)).toBe(
    "contract_review for nightly-planner, high risk, up to $12.40, 1 h left",
  );
  expect(rowLabel(row(), "left", AT)).toContain("gone");
});

import { describe, expect, it } from "vitest";
import type { ApiKey, Operation } from "@/bindings";
import {
  filterKeys,
  isIdle,
  isInUse,
  limitWords,
  maskedKey,
  nameProblem,
  sameLimits,
  snippetOperations,
} from "./model";

const NOW = Date.parse("2026-11-21T12:00:00Z");

function apiKey(patch: Partial<ApiKey>): ApiKey {
  return {
    id: "key_1",
    name: "support-desk",
    prefix: "sbx_live_",
    last4: "9f3a",
    operations: [],
    created_at: "2026-01-01T00:00:00Z",
    last_used_at: null,
    revoked_at: null,
    limits: {},
    ...patch,
  };
}

function operation(id: string, capability: string, enabled: boolean): Operation {
  return { id, capability, enabled } as Operation;
}

describe("keys", () => {
  it("are shown by prefix and last four characters only", () => {
    expect(maskedKey(apiKey({}))).toBe("sbx_live_…9f3a");
  });

  it("are found by name, scope and last four characters, in the chosen state", () => {
    const live = apiKey({ operations: ["job_planning"] });
    const dead = apiKey({ name: "old CI", last4: "77aa", revoked_at: "2026-11-01T00:00:00Z" });
    expect(filterKeys([live, dead], undefined, "PLANNING")).toEqual([live]);
    expect(filterKeys([live, dead], undefined, "77a")).toEqual([dead]);
    expect(filterKeys([live, dead], "active", undefined)).toEqual([live]);
    expect(filterKeys([live, dead], "revoked", "desk")).toEqual([]);
  });

  it("are idle after 90 days without use, unless revoked", () => {
    expect(isIdle(apiKey({}), NOW)).toBe(true);
    expect(isIdle(apiKey({ last_used_at: "2026-11-20T00:00:00Z" }), NOW)).toBe(false);
    expect(isIdle(apiKey({ revoked_at: "2026-02-01T00:00:00Z" }), NOW)).toBe(false);
    expect(isInUse(apiKey({ last_used_at: "2026-11-21T11:00:00Z" }), NOW)).toBe(true);
    expect(isInUse(apiKey({}), NOW)).toBe(false);
  });

  it("need a name", () => {
    expect(nameProblem("  ")).toMatch(/name/);
    expect(nameProblem("laptop")).toBeUndefined();
  });

  it("get snippets for chat operations of their scope, enabled ones first", () => {
    const all = [
      operation("email_analysis", "chat", false),
      operation("text_to_speech", "speech", true),
      operation("chat_message", "chat", true),
    ];
    expect(snippetOperations(all, [])).toEqual(["chat_message", "email_analysis"]);
    expect(snippetOperations(all, ["email_analysis"])).toEqual(["email_analysis"]);
  });
});

describe("limits", () => {
  it("read as words, with what has none left out", () => {
    expect(limitWords({})).toBe("No limits of its own");
    expect(limitWords({ requests_per_minute: 600, concurrent: 20, body_bytes: null })).toBe(
      "600/min, 20 at once",
    );
    expect([500, 262_144, 1_572_864].map((body_bytes) => limitWords({ body_bytes }))).toEqual([
      "500 B each",
      "256 KiB each",
      "1.5 MiB each",
    ]);
  });

  it("are the same whether they are absent or null", () => {
    expect(sameLimits({}, { concurrent: null })).toBe(true);
    expect(sameLimits({ concurrent: 1 }, {})).toBe(false);
  });
});

import { describe, expect, it } from "vitest";
import type { ApiKey, Operation } from "@/bindings";
import { makeBudgets } from "@/platform/fake/budgets";
import {
  bindingBudgets,
  dayOf,
  endOfDay,
  filterKeys,
  inDays,
  isInUse,
  limitWords,
  maskedKey,
  nameProblem,
  sameLimits,
  sameScope,
  scopeOf,
  scopeWords,
  snippetOperations,
} from "./model";

const NOW = Date.parse("2026-11-21T12:00:00Z");

function apiKey(patch: Partial<ApiKey>): ApiKey {
  return {
    id: "key_1",
    name: "support-desk",
    owner: null,
    prefix: "sbx_live_",
    last4: "9f3a",
    operations: [],
    targets: [],
    created_at: "2026-01-01T00:00:00Z",
    expires_at: null,
    last_used_at: null,
    last_used_for: null,
    revoked_at: null,
    state: "active",
    expires_soon: false,
    idle: false,
    former: null,
    limits: {},
    own_credentials: [],
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
    const live = apiKey({ operations: ["job_planning"], owner: "Grace", targets: ["deepseek"] });
    const dead = apiKey({ name: "old CI", last4: "77aa", state: "revoked" });
    expect(filterKeys([live, dead], undefined, "grace")).toEqual([live]);
    expect(filterKeys([live, dead], undefined, "deepseek")).toEqual([live]);
    expect(filterKeys([live, dead], undefined, "PLANNING")).toEqual([live]);
    expect(filterKeys([live, dead], undefined, "77a")).toEqual([dead]);
    expect(filterKeys([live, dead], "active", undefined)).toEqual([live]);
    expect(filterKeys([live, dead], "revoked", "desk")).toEqual([]);
  });

  it("are in use when somebody used them within a day", () => {
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

describe("scopes", () => {
  it("say what and where in a few words", () => {
    expect(scopeWords(apiKey({}))).toBe("All operations");
    expect(scopeWords(apiKey({ operations: ["a"], targets: ["deepseek"] }))).toBe("a, to deepseek");
    expect(scopeWords(apiKey({ operations: ["a", "b"], targets: ["x", "y/z"] }))).toBe(
      "2 operations, to 2 targets",
    );
  });

  it("are the same in whatever order they were chosen", () => {
    const key = apiKey({ operations: ["a", "b"], expires_at: "2027-01-31T12:00:00.000000Z" });
    const chosen = { operations: ["b", "a"], owner: " ", expires_at: "2027-01-31T12:00:00Z" };
    expect(sameScope(scopeOf(key), chosen)).toBe(true);
    expect(sameScope(scopeOf(key), { ...chosen, targets: ["x"] })).toBe(false);
  });

  it("end with the day that was chosen, wherever here is", () => {
    const end = endOfDay("2027-01-31");
    expect(end && dayOf(end)).toBe("2027-01-31");
    expect(endOfDay("")).toBeUndefined();
    const later = Date.parse(inDays(30, NOW)) - NOW;
    expect(later).toBeGreaterThan(30 * 86_400_000 - 3_600_001);
    expect(later).toBeLessThan(31 * 86_400_000 + 3_600_001);
  });
});

describe("budgets that bind a key", () => {
  const budgets = makeBudgets("normal", NOW);
  const names = (patch: Partial<ApiKey>) => {
    const { own, all, some } = bindingBudgets(apiKey(patch), budgets);
    return [own, all, some].map((group) => group.map(({ name }) => name));
  };

  it("are its own, those of every request, and those that some of its requests are counted in", () => {
    expect(names({ id: "key_01j9x00000000000000000002" })).toEqual([
      ["Nightly planner"],
      ["Everything"],
      ["Chat messages", "DeepSeek", "Each user"],
    ]);
  });

  it("are only those that its scope leads to", () => {
    expect(names({ operations: ["job_planning"], targets: ["anthropic"] })[2]).toEqual([
      "Each user",
    ]);
    expect(names({ targets: ["deepseek/deepseek-chat"] })[2]).toContain("DeepSeek");
  });
});

import { describe, expect, it } from "vitest";
import type { ApiKey, Operation } from "@/bindings";
import { filterKeys, isIdle, isInUse, maskedKey, nameProblem, snippetOperations } from "./model";

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

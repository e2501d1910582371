import { describe, expect, it } from "vitest";
import type { Provider } from "@/bindings";
import {
  baseUrlProblem,
  credentialWords,
  freeName,
  groupProviders,
  matchesQuery,
  nameProblem,
  originChanges,
  priceProblem,
  providerState,
  sortProviders,
} from "./model";

function provider(name: string, change: Partial<Provider> = {}): Provider {
  return {
    name,
    kind: "openai",
    base_url: "https://api.example.com/v1",
    enabled: true,
    builtin: false,
    credential: { state: "set", hint: "…a91f", env_var: null, set_at: null },
    auth: { scheme: "vendor" },
    max_concurrent: null,
    ready: { ready: true, code: "ready", text: "Ready" },
    last_check: null,
    models: [],
    last_24h: { requests: 0, failed: 0, spend: "0", latency_ms_p95: null },
    version: 1,
    ...change,
  };
}

const badCheck = {
  ok: false,
  message: "",
  code: "invalid_key",
  models_found: 0,
  latency_ms: 1,
  at: "2026-11-21T00:00:00Z",
};

describe("providerState", () => {
  it("names the worst fact first", () => {
    const missing = { state: "missing", hint: null, env_var: null, set_at: null } as const;
    expect(providerState(provider("a"))).toBe("ready");
    expect(providerState(provider("a", { last_check: badCheck }))).toBe("failed_check");
    expect(providerState(provider("a", { last_check: badCheck, credential: missing }))).toBe(
      "no_credential",
    );
    expect(providerState(provider("a", { enabled: false, credential: missing }))).toBe("off");
    expect(
      providerState(provider("a", { ready: { ready: false, code: "no_adapter", text: "" } })),
    ).toBe("not_ready");
  });

  it("sorts trouble to the top", () => {
    const sorted = sortProviders([
      provider("b"),
      provider("a"),
      provider("z", { last_check: badCheck }),
    ]);
    expect(sorted.map(({ name }) => name)).toEqual(["z", "a", "b"]);
  });
});

describe("lists", () => {
  it("groups by what a person has to do, without empty headings", () => {
    const groups = groupProviders(
      sortProviders([
        provider("off", { enabled: false }),
        provider("simulator", { builtin: true }),
        provider("bad", { last_check: badCheck }),
        provider("z"),
      ]),
    );
    expect(
      groups.map(({ title, providers }) => [title, providers.map(({ name }) => name)]),
    ).toEqual([
      ["In use", ["bad", "z", "simulator"]],
      ["Not in use", ["off"]],
    ]);
  });

  it("finds a provider by any words of its name, kind, address and models", () => {
    expect(matchesQuery(provider("a"), "EXAMPLE openai")).toBe(true);
    expect(matchesQuery(provider("a"), "example anthropic")).toBe(false);
  });
});

describe("credentials", () => {
  const credential = { state: "missing", hint: null, env_var: null, set_at: null } as const;
  it("says where it comes from and what is wrong with it", () => {
    expect(credentialWords(credential)).toBe("no key yet");
    expect(credentialWords({ ...credential, hint: "…a91f" })).toContain("cannot be opened");
    expect(credentialWords({ ...credential, env_var: "KEY" })).toContain("KEY is not set");
    expect(credentialWords({ ...credential, state: "set", hint: "…a91f" })).toBe("…a91f");
  });

  it("is lost by a move to another origin only", () => {
    expect(originChanges("https://a.example/v1", "https://a.example/v2")).toBe(false);
    expect(originChanges("https://a.example/v1", "https://b.example/v1")).toBe(true);
    expect(originChanges("https://a.example/v1", "https://")).toBe(false);
  });
});

describe("fields", () => {
  it("accepts good names and explains bad ones", () => {
    expect(nameProblem("my-llm_2", [])).toBeUndefined();
    expect(nameProblem("", [])).toContain("needed");
    expect(nameProblem("My LLM", [])).toContain("small letters");
    expect(nameProblem("openai", ["openai"])).toContain("already");
    expect(nameProblem("302ai", [])).toBeUndefined();
    expect(freeName({ name: "openai" }, ["openai", "openai_2"])).toBe("openai_3");
  });

  it("lets a key travel only over https or to this machine", () => {
    expect(baseUrlProblem("https://api.deepseek.com/v1")).toBeUndefined();
    expect(baseUrlProblem("http://localhost:11434/v1")).toBeUndefined();
    expect(baseUrlProblem("http://127.0.0.7:9/v1")).toBeUndefined();
    expect(baseUrlProblem("https://api.example.com/v1?key=1")).toContain("Leave out");
    expect(baseUrlProblem("http://api.example.com/v1")).toContain("unencrypted");
    expect(baseUrlProblem("api.example.com")).toContain("full address");
    expect(baseUrlProblem("https://user:pw@example.com")).toContain("credential");
  });

  it("takes decimal prices and nothing", () => {
    expect([priceProblem(""), priceProblem("0.27"), priceProblem("15")]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(priceProblem("cheap")).toBeDefined();
    expect(priceProblem("1,5")).toBeDefined();
  });
});

import { expect, it } from "vitest";
import { VARIABLES, EXAMPLES, freeName, insertAt } from "./conditions";
import { parseTags, toSimulatedRequest, EMPTY_FORM } from "./dryRun";
import { controlOf, fieldWords, inOrderOfScreen, problemsByField } from "./problems";

const problem = (field: string, message = field) => ({ field, message });

it("every field of the backend leads to a control", () => {
  const fields = {
    "targets[1].model": "route-target-select-2",
    "targets[0].timeout_ms": "route-timeout-1",
    "targets[0].max_output": "route-max-output-1",
    "targets[2].weight": "route-weight-3",
    "targets[2]": "route-target-select-3",
    "rules[0].when": "rule-when-1",
    "rules[1].targets": "rule-targets-2",
    "rules[1].effect": "rule-effect-2",
    "rules[1].name": "rule-name-2",
    targets: "route-add-target",
    rules: "route-add-rule",
    strategy: "route-strategy",
    balance: "balance-cost",
    deadline_ms: "route-deadline",
    cache_ttl_s: "route-cache-amount",
    allowed_providers: "route-allowed",
  };
  expect(Object.keys(fields).map(controlOf)).toEqual(Object.values(fields));
  expect(controlOf("something_else")).toBeUndefined();
});

it("faults are listed in the order of the screen, and the first of a field is the one shown", () => {
  const found = [
    "deadline_ms",
    "rules[0].when",
    "targets",
    "targets[1].model",
    "targets[0].weight",
  ];
  const sorted = inOrderOfScreen(found.map((field) => problem(field)));
  expect(sorted.map(({ field }) => field)).toEqual([
    "targets[0].weight",
    "targets[1].model",
    "targets",
    "rules[0].when",
    "deadline_ms",
  ]);
  expect(problemsByField([problem("a", "one"), problem("a", "two")]).get("a")).toBe("one");
});

it("a fault is named by the target or rule it is about", () => {
  const state = {
    enabled: true,
    strategy: "priority",
    balance: { cost: 50, latency: 30, quality: 20 },
    deadline_ms: null,
    cache_ttl_s: null,
    allowed_providers: [],
    approval: null,
    cards: [
      {
        id: 0,
        provider: "a",
        model: "m",
        enabled: true,
        weight: 1,
        timeout_ms: null,
        max_output: null,
      },
    ],
    rules: [{ id: 1, name: "Short", when: "", effect: "only", targets: [] }],
  };
  expect(fieldWords("targets[0].timeout_ms", state)).toBe("1 a/m, timeout");
  expect(fieldWords("rules[0].when", state)).toBe("Rule Short, condition");
  expect(fieldWords("deadline_ms", state)).toBe("Deadline");
  expect(fieldWords("else", state)).toBeUndefined();
});

it("inserted variables do not run into words, and the caret stands behind them", () => {
  expect(insertAt("user", "has_images", 4, 4)).toEqual({ text: "user has_images", caret: 15 });
  expect(insertAt("a && b", "x", 5, 6)).toEqual({ text: "a && x", caret: 6 });
  expect(insertAt("", "x", 0, 0)).toEqual({ text: "x", caret: 1 });
});

it("a new rule never has the name of another", () => {
  expect(freeName("Short", [])).toBe("Short");
  expect(freeName("Short", ["Short"])).toBe("Short 2");
  expect(freeName("Short", ["Short", "Short 3"])).toBe("Short 3 2");
});

it("the examples use offered variables only", () => {
  const offered = new Set(VARIABLES.map(({ name }) => name));
  for (const { when } of EXAMPLES) {
    const words = when.replaceAll(/"[^"]*"/g, "").match(/[a-z_]+/g) ?? [];
    expect(words.filter((word) => word !== "in" && !offered.has(word))).toEqual([]);
  }
});

it("a described request carries what was typed, an earlier one only its id", () => {
  expect(parseTags("team=research, ticket=T-1=x,\n")).toEqual({
    tags: [
      { name: "team", value: "research" },
      { name: "ticket", value: "T-1=x" },
    ],
  });
  expect(parseTags("team, =x").problem).toBe("Write team, =x as name=value.");
  expect(toSimulatedRequest({ ...EMPTY_FORM, message: "hi", user: " ines " })).toMatchObject({
    kind: "described",
    message: "hi",
    user: "ines",
    input_tokens: null,
  });
  expect(toSimulatedRequest({ ...EMPTY_FORM, kind: "past" })).toBeUndefined();
  expect(toSimulatedRequest({ ...EMPTY_FORM, kind: "past", request_id: "req_1" })).toEqual({
    kind: "past",
    request_id: "req_1",
  });
});

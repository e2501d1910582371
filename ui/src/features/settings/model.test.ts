import { expect, test } from "vitest";
import type { Setting } from "@/bindings";
import {
  boundsWords,
  choiceOf,
  grouped,
  isSwitch,
  labelOf,
  spanBeside,
  valuePhrase,
  valueWords,
} from "./model";

function setting(name: string, more: Partial<Setting> = {}): Setting {
  const bounds = { unit: null, least: null, most: null, choices: [] };
  return { name, text: "What it does.", value: "3", usual: "3", ...bounds, ...more };
}

test("a length of time is said exactly, in the words a person would use", () => {
  const seconds = setting("breaker_open_s", { unit: "seconds" });
  const millis = setting("stream_idle_ms", { unit: "ms" });
  expect(valueWords(seconds, "300")).toBe("5 min");
  expect(valueWords(seconds, "90")).toBe("1 min 30 s");
  expect(valueWords(seconds, "3600")).toBe("1 h");
  expect(valueWords(millis, "30000")).toBe("30 s");
  expect(valueWords(millis, "61500")).toBe("1 min 1.5 s");
  expect(valueWords(millis, "100")).toBe("100 ms");
});

test("words stand beside a number only where they say more than it", () => {
  expect(spanBeside({ unit: "seconds" }, "300")).toBe("5 min");
  expect(spanBeside({ unit: "seconds" }, "30")).toBeUndefined();
  expect(spanBeside({ unit: "ms" }, "250")).toBeUndefined();
  expect(spanBeside({ unit: "ms" }, "")).toBeUndefined();
  expect(spanBeside({ unit: "failures" }, "3")).toBeUndefined();
});

test("values other than time are said in their unit or in words", () => {
  const failures = setting("breaker_failures", { unit: "failures", least: 1, most: 1_000 });
  expect(valueWords(failures, "1")).toBe("1 failure");
  expect(valueWords(failures, "1000")).toBe("1,000 failures");
  expect(boundsWords(failures)).toBe("from 1 to 1,000 failures");
  const kept = setting("some_switch", { choices: ["false", "true"] });
  expect(isSwitch(kept)).toBe(true);
  expect(valueWords(kept, "true")).toBe("On");
  const policy = setting("unpriced_policy", { choices: ["allow", "block"] });
  expect(valueWords(policy, "block")).toBe("Do not send");
  expect(valuePhrase(policy, "block")).toBe("“Do not send”");
  expect(valuePhrase(kept, "false")).toBe("off");
});

test("a setting and a choice this window does not know are shown as they are written", () => {
  expect(labelOf("answer_shelf_life")).toBe("answer_shelf_life");
  expect(choiceOf("unpriced_policy", "auction").word).toBe("auction");
  const [only] = grouped([setting("answer_shelf_life")], undefined);
  expect(only?.group.title).toBe("Other");
});

test("a search finds a setting by its label, its name, its text and its group", () => {
  const all = [
    setting("breaker_open_s"),
    setting("max_requests", { text: "Requests that may run at once." }),
  ];
  const found = (query: string) =>
    grouped(all, query).flatMap(({ settings }) => settings.map(({ name }) => name));
  expect(found("Stays OPEN")).toEqual(["breaker_open_s"]);
  expect(found("max_req")).toEqual(["max_requests"]);
  expect(found("once run")).toEqual(["max_requests"]);
  expect(found("load")).toEqual(["max_requests"]);
  expect(found("circuits once")).toEqual([]);
  expect(found("  ")).toHaveLength(2);
});

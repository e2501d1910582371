import { expect, test } from "vitest";
import { filterOf, placeOf } from "./model";

test("without a choice the open alerts are shown", () => {
  expect(filterOf({})).toEqual({ open: true });
  expect(filterOf({ show: "all", kind: "anomaly", severity: "critical" })).toEqual({
    open: false,
    kind: "anomaly",
    severity: "critical",
  });
});

test("an alert leads to the thing it is about, also when the model's name has slashes", () => {
  const place = placeOf({ kind: "circuit_opened", subject: "openrouter/openai/gpt" });
  expect(place?.search).toEqual({ provider: "openrouter", model: "openai/gpt" });
  expect(placeOf({ kind: "credential_invalid", subject: "openai" })?.search).toEqual({
    provider: "openai",
  });
  expect(placeOf({ kind: "disk_nearly_full", subject: "data directory" })).toBeUndefined();
});

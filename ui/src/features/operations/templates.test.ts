import { expect, it } from "vitest";
import type { TargetOption } from "@/bindings";
import { makeTemplates } from "./templates";

const option = (
  provider: string,
  quality: number | null,
  price: string | null,
  rest: Partial<TargetOption> = {},
): TargetOption => ({
  provider,
  model: "m",
  capabilities: ["chat"],
  context_window: null,
  input_per_mtok: price,
  output_per_mtok: price,
  simulated: false,
  quality,
  latency_ms_p50: null,
  ready: { ready: true, code: "ready", text: "ready" },
  ...rest,
});
const off = { ready: { ready: false, code: "no_credential", text: "no key" } };
const shape = (options: TargetOption[]) =>
  makeTemplates(options).map(({ id, targets }) => [id, targets.map((target) => target.provider)]);

it("begins with what is ready: the best, a fallback elsewhere, and the cheapest first", () => {
  const options = [
    option("good", 95, "3000"),
    option("cheap", 70, "10"),
    option("fair", 80, "500"),
    option("unpriced", null, null),
    option("best", 99, "1", off),
    option("simulator", null, "0", { simulated: true }),
  ];
  expect(shape(options)).toEqual([
    ["single", ["good"]],
    ["fallback", ["good", "fair"]],
    ["cheapest", ["cheap", "fair", "good"]],
  ]);
});

it("takes what there is when nothing is ready, and offers nothing out of nothing", () => {
  expect(shape([option("a", 1, "1", off)])).toEqual([["single", ["a"]]]);
  expect(shape([option("s", 1, "0", { simulated: true }), option("a", 1, "1", off)])).toEqual([
    ["single", ["s"]],
  ]);
  expect(makeTemplates([])).toEqual([]);
});

import { mutationOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { CacheTag, DrillInput } from "@/bindings";
import { platform } from "@/platform";

const TOUCHED: readonly CacheTag[] = ["health", "providers", "requests"];

export function startDrillMutationOptions() {
  return mutationOptions({
    mutationFn: (input: DrillInput) => call(platform().commands.drillStart(input)),
    meta: { failureTitle: "The drill did not start", failure: "inline", invalidates: TOUCHED },
  });
}

export function stopDrillMutationOptions() {
  return mutationOptions({
    mutationFn: () => call(platform().commands.drillStop()),
    meta: { failureTitle: "The drill was not stopped", invalidates: TOUCHED },
  });
}

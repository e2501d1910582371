import { mutationOptions } from "@tanstack/react-query";
import { callProposed } from "@/api/proposed";
import type { BudgetAdjustInput } from "@/bindings";
import { notifySuccess } from "@/lib/notices";
import { platform } from "@/platform";

/** Making and changing one is shared with the first run: see `api/mutations.ts`. */
export function removeBudgetMutationOptions() {
  return mutationOptions({
    mutationFn: (input: { id: string; version: number; name: string }) =>
      callProposed(
        platform().commands.budgetRemove({
          id: input.id,
          base_version: input.version,
          reason: null,
        }),
      ),
    meta: {
      failureTitle: "The budget was not removed",
      invalidates: ["budgets", "status", "changes"],
    },
  });
}

export function adjustBudgetMutationOptions() {
  return mutationOptions({
    mutationFn: (input: BudgetAdjustInput) => callProposed(platform().commands.budgetAdjust(input)),
    // Without an answer somebody else has to approve it first; a notice says so.
    onSuccess: (detail) =>
      detail && notifySuccess("The correction counts from now on", "It stands in the history."),
    meta: {
      failureTitle: "Nothing was corrected",
      failure: "inline",
      invalidates: ["budgets", "status", "changes"],
    },
  });
}

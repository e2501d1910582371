import { mutationOptions } from "@tanstack/react-query";
import { callProposed } from "@/api/proposed";
import { platform } from "@/platform";

type Revert = { seq: number; reason: string | null };

const INVALIDATES = ["changes", "operations", "prices", "providers", "status"] as const;

/** Puts things back to what they were before a change; the dialog shows why it was refused. */
export function revertMutationOptions() {
  return mutationOptions({
    mutationFn: ({ seq, reason }: Revert) =>
      callProposed(platform().commands.changeRevert(seq, reason)),
    meta: {
      failureTitle: "The change was not reverted",
      failure: "inline",
      invalidates: INVALIDATES,
    },
  });
}

/** Takes a revert back, from its notice: there is no form left that could show a failure. */
export function undoRevertMutationOptions() {
  return mutationOptions({
    mutationFn: (seq: number) => callProposed(platform().commands.changeRevert(seq, null)),
    meta: { failureTitle: "The revert was not taken back", invalidates: INVALIDATES },
  });
}

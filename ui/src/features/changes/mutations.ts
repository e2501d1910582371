import { mutationOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import { callProposed } from "@/api/proposed";
import type { HistoryFormat } from "@/bindings";
import { notifySuccess } from "@/lib/notices";
import { formatCount } from "@/lib/numbers";
import { platform } from "@/platform";
import { filterAt, type Where } from "./model";

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

export function exportChangesMutationOptions() {
  return mutationOptions({
    mutationFn: ({ where, format }: { where: Where; format: HistoryFormat }) =>
      call(platform().commands.changesExport(filterAt(where, Date.now()), format)),
    onSuccess: (exported) => {
      notifySuccess(`${formatCount(exported.rows)} changes exported`, exported.path);
    },
    meta: { failureTitle: "The history was not exported" },
  });
}

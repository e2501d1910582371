import { mutationOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { CacheTag } from "@/bindings";
import { platform } from "@/platform";
import type { Held } from "./desk";

const TOUCHED: readonly CacheTag[] = ["approvals", "status", "changes"];

/** Says yes to exactly what was shown: the fingerprint goes along. */
export function approveMutationOptions() {
  return mutationOptions({
    mutationFn: ({ held, target }: { held: Held; target: string | null }) =>
      call(platform().commands.approvalApprove({ ...named(held), target, reason: null })),
    meta: { failureTitle: "It was not approved", failure: "inline", invalidates: TOUCHED },
  });
}

/** The same from the small window, where only what is of low risk is approved. */
export function quickApproveMutationOptions() {
  return mutationOptions({
    ...approveMutationOptions(),
    mutationFn: ({ held, target }: { held: Held; target: string | null }) =>
      call(platform().commands.quickApprove({ ...named(held), target, reason: null })),
  });
}

export function closeQuickMutationOptions() {
  return mutationOptions({
    mutationFn: () => call(platform().commands.quickClose()),
    meta: { failureTitle: "The window was not closed" },
  });
}

export function openQueueMutationOptions() {
  return mutationOptions({
    mutationFn: () => call(platform().commands.queueOpen()),
    meta: { failureTitle: "The queue was not opened" },
  });
}

export function rejectMutationOptions() {
  return mutationOptions({
    mutationFn: ({ held, reason }: { held: Held; reason: string }) =>
      call(platform().commands.approvalReject({ ...named(held), reason })),
    meta: { failureTitle: "It was not rejected", failure: "inline", invalidates: TOUCHED },
  });
}

/** Takes back what one has asked for oneself. */
export function withdrawMutationOptions() {
  return mutationOptions({
    mutationFn: (id: string) => call(platform().commands.approvalWithdraw({ id, reason: null })),
    meta: { failureTitle: "It was not withdrawn", invalidates: TOUCHED },
  });
}

export function undoMutationOptions() {
  return mutationOptions({
    mutationFn: (id: string) => call(platform().commands.approvalUndo(id)),
    meta: { failureTitle: "The decision was not taken back", invalidates: TOUCHED },
  });
}

function named({ id, fingerprint }: Held) {
  return { id, hash: fingerprint };
}

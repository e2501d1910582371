import { useMutation, useQuery } from "@tanstack/react-query";
import { useReducer, useState } from "react";
import { CommandError } from "@/api/call";
import type { Operation, Problem } from "@/bindings";
import { notifySuccess, notifyUndo } from "@/lib/notices";
import {
  countChanges,
  type DraftAction,
  isDirty,
  reduceDraft,
  startDraft,
  toRouteDraft,
} from "./draft";
import { type Applied, applyRouteMutationOptions, undoRouteMutationOptions } from "./mutations";
import { routePreviewQueryOptions } from "./queries";

export type RouteEditor = ReturnType<typeof useRouteEditor>;

/** The draft of one operation's route with its preview, its reason and the way to apply it. */
export function useRouteEditor(operation: Operation) {
  const [draft, dispatch] = useReducer(reduceDraft, operation, startDraft);
  const [reason, setReason] = useState("");
  const [previewing, setPreviewing] = useState(false);
  const apply = useApplyRoute();
  const dirty = isDirty(draft);

  const movedOn = operation.version > draft.baseVersion && !apply.isPending;
  // Without edits of one's own there is nothing to decide: the newer version is simply shown.
  if (movedOn && !dirty) dispatch({ type: "restart", operation });
  const conflict = movedOn && dirty;

  const preview = useQuery({
    ...routePreviewQueryOptions(toRouteDraft(draft)),
    enabled: previewing && dirty && !conflict,
  });
  const problems: readonly Problem[] =
    apply.error instanceof CommandError && apply.error.details.length > 0
      ? apply.error.details
      : previewing && dirty
        ? (preview.data?.problems ?? [])
        : [];

  const edit = (action: DraftAction) => {
    apply.reset();
    dispatch(action);
  };
  const restart = (from: Operation) => {
    edit({ type: "restart", operation: from });
    setReason("");
    setPreviewing(false);
  };
  return {
    draft,
    dirty,
    conflict,
    changes: countChanges(draft),
    edit,
    reason,
    setReason,
    previewing: previewing && dirty,
    setPreviewing,
    preview,
    problems,
    applying: apply.isPending,
    applyError: apply.error,
    discard: () => {
      edit({ type: "discard" });
      setPreviewing(false);
    },
    /** Drops the edits for what somebody else has applied. */
    takeTheirs: () => restart(operation),
    /** Keeps the edits, now meant as a change of what somebody else has applied. */
    putMineOnTop: () => edit({ type: "rebase", operation }),
    apply: () => {
      if (!dirty || conflict || apply.isPending) return;
      apply.mutate(toRouteDraft(draft, reason), {
        onSuccess: (applied) => restart(applied.operation),
      });
    },
  };
}

function useApplyRoute() {
  const undo = useMutation(undoRouteMutationOptions());
  return useMutation({
    ...applyRouteMutationOptions(),
    onSuccess: ({ operation, seq }: Applied) => {
      const title = `The route of ${operation.id} is applied`;
      const message = "It counts from the next request on.";
      if (seq === undefined) notifySuccess(title, message);
      // What goes wrong shows as a notice of the mutation itself.
      else notifyUndo(title, () => undo.mutateAsync(seq).catch(() => undefined), message);
    },
  });
}

import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useMemo, useReducer, useState } from "react";
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
import { inOrderOfScreen, problemsByField } from "./problems";
import { routePreviewQueryOptions } from "./queries";

export type RouteEditor = ReturnType<typeof useRouteEditor>;

/** How long nothing is typed before a draft is looked at again. */
export const SETTLE_MS = 200;

/** The draft of one operation's route with its preview, its faults, its reason and the way to apply it. */
export function useRouteEditor(operation: Operation) {
  const [draft, dispatch] = useReducer(reduceDraft, operation, startDraft);
  const [reason, setReason] = useState("");
  const [previewing, setPreviewing] = useState(false);
  /** Grows each time a person asks what is wrong; an edit takes the question back. */
  const [attention, setAttention] = useState(0);
  const apply = useApplyRoute();
  const dirty = isDirty(draft);

  const movedOn = operation.version > draft.baseVersion && !apply.isPending;
  // Without edits of one's own there is nothing to decide: the newer version is simply shown.
  if (movedOn && !dirty) dispatch({ type: "restart", operation });
  const conflict = movedOn && dirty;

  const [settled] = useDebouncedValue(draft, SETTLE_MS);
  const sent = useMemo(() => toRouteDraft(settled), [settled]);
  // Asked for every draft, not only while the preview is shown: a fault stands at its field as soon as it is made.
  const preview = useQuery({
    ...routePreviewQueryOptions(sent),
    enabled: dirty && !conflict && isDirty(settled),
  });
  const refused =
    apply.error instanceof CommandError && apply.error.details.length > 0
      ? apply.error.details
      : undefined;
  const problems: readonly Problem[] = inOrderOfScreen(
    refused ?? (dirty ? (preview.data?.problems ?? []) : []),
  );

  const edit = (action: DraftAction) => {
    apply.reset();
    setAttention(0);
    dispatch(action);
  };
  const restart = (from: Operation) => {
    edit({ type: "restart", operation: from });
    setReason("");
    setPreviewing(false);
  };
  const ask = () => setAttention((asked) => asked + 1);
  const showPreview = (shown: boolean) => {
    setPreviewing(shown);
    if (shown) ask();
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
    showPreview,
    preview,
    problems,
    /** The fault of a field, for its control. */
    problemAt: problemFinder(problems),
    attention,
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
      if (problems.length > 0) {
        showPreview(true);
        return;
      }
      apply.mutate(toRouteDraft(draft, reason), {
        onSuccess: (applied) => restart(applied?.operation ?? operation),
        onError: ask,
      });
    },
  };
}

function problemFinder(problems: readonly Problem[]) {
  const fields = problemsByField(problems);
  return (field: string): string | undefined => fields.get(field);
}

function useApplyRoute() {
  const undo = useMutation(undoRouteMutationOptions());
  return useMutation({
    ...applyRouteMutationOptions(),
    onSuccess: (applied: Applied | null) => {
      if (applied === null) return;
      const { operation, seq } = applied;
      const title = `The route of ${operation.id} is applied`;
      const message = "It counts from the next request on.";
      if (seq === undefined) notifySuccess(title, message);
      // What goes wrong shows as a notice of the mutation itself.
      else notifyUndo(title, () => undo.mutateAsync(seq).catch(() => undefined), message);
    },
  });
}

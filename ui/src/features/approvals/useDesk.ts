import { useMutation } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import type { ApprovalDetail } from "@/bindings";
import { useNow } from "@/lib/clock";
import { type Desk, type DeskEvent, emptyDesk, type Errand, step } from "./desk";
import { approveMutationOptions, rejectMutationOptions, undoMutationOptions } from "./mutations";

/** The desk of this screen: its state, what may be done to it, and what the backend said to the last decision. */
export type DeskHandle = { desk: Desk; does: (event: DeskEvent) => void; error: Error | null };

export function useDesk(approving = approveMutationOptions()): DeskHandle {
  const [desk, setDesk] = useState(emptyDesk);
  const [error, setError] = useState<Error | null>(null);
  // Two keys may come between two paints: the second must meet what the first has done.
  const current = useRef(desk);
  const { mutateAsync: approve } = useMutation(approving);
  const { mutateAsync: reject } = useMutation(rejectMutationOptions());
  const { mutateAsync: undo } = useMutation(undoMutationOptions());

  const apply = useCallback((event: DeskEvent, at = Date.now()): Errand | null => {
    const { desk: next, errand } = step(current.current, event, at);
    current.current = next;
    setDesk(next);
    return errand;
  }, []);

  const run = useCallback(
    async (errand: Errand) => {
      setError(null);
      const done: string[] = [];
      try {
        switch (errand.type) {
          case "approve":
            for (const held of errand.held) {
              // One after the other: the first that is refused ends it, and what was said before holds.
              await approve({ held, target: errand.target });
              done.push(held.id);
            }
            break;
          case "reject":
            await reject({ held: errand.held, reason: errand.reason });
            done.push(errand.held.id);
            break;
          case "undo":
            for (const id of errand.ids) {
              await undo(id);
              done.push(id);
            }
        }
      } catch (failure) {
        // What went wrong with Undo is a notice of its own.
        if (errand.type !== "undo") setError(failure as Error);
        apply({ type: "failed" });
      }
      if (done.length > 0) apply(outcome(errand, done));
    },
    [apply, approve, reject, undo],
  );

  const does = useCallback(
    (event: DeskEvent) => {
      if (event.type !== "shown" && event.type !== "queue") setError(null);
      const errand = apply(event);
      if (errand) void run(errand);
    },
    [apply, run],
  );

  const now = useNow();
  // Time is what this effect keeps the desk in step with: what has expired locks without a key.
  useEffect(() => {
    apply({ type: "tick" }, now);
  }, [apply, now]);

  return { desk, does, error };
}

function outcome(errand: Errand, ids: readonly string[]): DeskEvent {
  switch (errand.type) {
    case "approve":
      return { type: "decided", ids, verdict: "approved" };
    case "reject":
      return { type: "decided", ids, verdict: "rejected" };
    case "undo":
      return { type: "undone", ids };
  }
}

const NOT_YOU = "Another person decides this.";

/** Tells the desk what the pane shows, once it shows it. */
export function useShown(detail: ApprovalDetail | undefined, does: DeskHandle["does"]): void {
  const id = detail?.row.id;
  const fingerprint = detail?.row.hash;
  const barred = detail?.may_decide.allowed === false ? (detail.may_decide.why ?? NOT_YOU) : null;
  // The desk counts from the moment the content is on the screen: the frame after the one that paints it. On a busy machine
  // that can be long after effects run.
  useEffect(() => {
    if (id === undefined || fingerprint === undefined) return;
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() =>
        does({ type: "shown", held: { id, fingerprint }, barred }),
      );
    });
    return () => cancelAnimationFrame(frame);
  }, [id, fingerprint, barred, does]);
}

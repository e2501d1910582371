import { mutationOptions } from "@tanstack/react-query";
import { callProposed } from "@/api/proposed";
import type { CacheTag, Operation, RouteDraft } from "@/bindings";
import { platform } from "@/platform";

const TOUCHED: readonly CacheTag[] = ["operations", "changes", "status"];

/** The route as it is now, and the entry of the history that made it so: absent when nothing had to change. */
export type Applied = { operation: Operation; seq: number | undefined };

/** Makes a draft the route, or asks another admin to. The editor shows why it was refused. */
export function applyRouteMutationOptions() {
  return mutationOptions({
    mutationFn: async (draft: RouteDraft): Promise<Applied | null> => {
      const operation = await callProposed(platform().commands.routeApply(draft));
      if (operation === null) return null;
      const changed = operation.version > draft.base_version;
      return { operation, seq: changed ? await newestChange(operation.id) : undefined };
    },
    meta: {
      failureTitle: "The route was not changed",
      failure: "inline",
      invalidates: TOUCHED,
    },
  });
}

/** Takes an applied route back, from its notice. */
export function undoRouteMutationOptions() {
  return mutationOptions({
    mutationFn: (seq: number) => callProposed(platform().commands.changeRevert(seq, null)),
    meta: { failureTitle: "The route was not put back", invalidates: TOUCHED },
  });
}

/** Without it there is no Undo; the route is applied all the same. */
async function newestChange(operation: string): Promise<number | undefined> {
  const page = await platform().commands.changesPage(
    { kind: "route", subject: operation },
    null,
    1,
  );
  return page.status === "ok" ? page.data.rows[0]?.seq : undefined;
}

import { mutationOptions } from "@tanstack/react-query";
import { callProposed } from "@/api/proposed";
import type { Toggle, ToggleInput } from "@/bindings";
import { notifyUndo } from "@/lib/notices";
import { platform } from "@/platform";
import { labelOf } from "./model";
import { togglesQueryOptions } from "./queries";

/** What is set, and how it stood before: for its notice. */
export type ToggleChange = { input: ToggleInput; before: boolean | null };

/** Sets a toggle; the notice takes it back. Null: another admin has to approve it first. */
export function setToggleMutationOptions() {
  return mutationOptions({
    mutationFn: ({ input }: ToggleChange): Promise<Toggle | null> =>
      callProposed(platform().commands.toggleSet(input)),
    onSuccess: (changed, { input, before }, _result, { client }) => {
      if (changed === null) return;
      client.setQueryData(togglesQueryOptions().queryKey, (toggles) =>
        toggles?.map((toggle) => (toggle.name === changed.name ? changed : toggle)),
      );
      notifyUndo(`${labelOf(input.name)}: ${wordOf(input)}`, async () => {
        await callProposed(
          platform().commands.toggleSet({ ...input, enabled: before, reason: null }),
        );
        await client.invalidateQueries({ queryKey: togglesQueryOptions().queryKey });
      });
    },
    meta: {
      failureTitle: "The toggle was not set",
      invalidates: ["toggles", "changes", "approvals"],
    },
  });
}

function wordOf({ enabled, operation }: ToggleInput): string {
  const word =
    enabled === null ? (operation === null ? "as usual" : "as for all") : enabled ? "on" : "off";
  return operation === null ? word : `${word} for ${operation}`;
}

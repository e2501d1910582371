import { mutationOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { KeyLimitsInput } from "@/bindings";
import { notifySuccess } from "@/lib/notices";
import { platform } from "@/platform";

/** Making a key is shared with the first run: see `api/mutations.ts`. */
export function revokeKeyMutationOptions() {
  return mutationOptions({
    mutationFn: (id: string) => call(platform().commands.keyRevoke(id)),
    onSuccess: (key) => {
      notifySuccess(`The key ${key.name} is revoked`, "Requests that carry it are refused now.");
    },
    meta: {
      failureTitle: "The key was not revoked",
      failure: "inline",
      invalidates: ["keys", "status", "changes"],
    },
  });
}

export function setLimitsMutationOptions() {
  return mutationOptions({
    mutationFn: (input: KeyLimitsInput) => call(platform().commands.keySetLimits(input)),
    meta: {
      failureTitle: "The limits were not changed",
      failure: "inline",
      invalidates: ["keys", "changes"],
    },
  });
}

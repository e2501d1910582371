import { mutationOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { CacheTag, KeyLimitsInput, KeyRotation, KeyScopeInput } from "@/bindings";
import { notifySuccess } from "@/lib/notices";
import type { SecretBox } from "@/lib/secretBox";
import { platform } from "@/platform";

const TOUCHED: readonly CacheTag[] = ["keys", "changes"];

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
      invalidates: TOUCHED,
    },
  });
}

export function setScopeMutationOptions() {
  return mutationOptions({
    mutationFn: (input: KeyScopeInput) => call(platform().commands.keySetScope(input)),
    meta: { failureTitle: "The key was not changed", failure: "inline", invalidates: TOUCHED },
  });
}

export function rotateKeyMutationOptions() {
  return mutationOptions({
    mutationFn: (input: KeyRotation) => call(platform().commands.keyRotate(input)),
    meta: { failureTitle: "The key was not rotated", failure: "inline", invalidates: TOUCHED },
  });
}

export function endOverlapMutationOptions() {
  return mutationOptions({
    mutationFn: (id: string) => call(platform().commands.keyEndOverlap(id)),
    onSuccess: (key) =>
      notifySuccess(`Only the new secret of ${key.name} opens now`, "The one before is refused."),
    meta: { failureTitle: "The overlap was not ended", invalidates: TOUCHED },
  });
}

type Own = { id: string; provider: string };

export function pasteOwnCredentialMutationOptions() {
  return mutationOptions({
    mutationFn: ({ id, provider }: Own) =>
      call(platform().commands.keyPasteOwnCredential(id, provider)),
    meta: {
      failureTitle: "The credential was not stored",
      failure: "inline",
      invalidates: TOUCHED,
    },
  });
}

/** The secret comes in a box, because what a mutation is called with stays in its cache. */
export function setOwnCredentialMutationOptions() {
  return mutationOptions({
    mutationFn: ({ id, provider, secret }: Own & { secret: SecretBox }) =>
      call(platform().commands.keySetOwnCredential(id, provider, secret.take())),
    meta: {
      failureTitle: "The credential was not stored",
      failure: "inline",
      invalidates: TOUCHED,
    },
  });
}

export function clearOwnCredentialMutationOptions() {
  return mutationOptions({
    mutationFn: ({ id, provider }: Own) =>
      call(platform().commands.keyClearOwnCredential(id, provider)),
    onSuccess: (key, { provider }) =>
      notifySuccess(`${key.name} goes to ${provider} with the shared credential again`),
    meta: { failureTitle: "The credential was not removed", invalidates: TOUCHED },
  });
}

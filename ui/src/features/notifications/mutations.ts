import { mutationOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { AlertChannelInput, AlertChannelPatch, AlertRuleInput, CacheTag } from "@/bindings";
import type { SecretBox } from "@/lib/secretBox";
import { platform } from "@/platform";

const TOUCHED: readonly CacheTag[] = ["alerts", "changes"];

export function addChannelMutationOptions() {
  return mutationOptions({
    mutationFn: (input: AlertChannelInput) => call(platform().commands.channelAdd(input)),
    meta: { failureTitle: "The channel was not added", failure: "inline", invalidates: TOUCHED },
  });
}

export function updateChannelMutationOptions() {
  return mutationOptions({
    mutationFn: (patch: AlertChannelPatch) => call(platform().commands.channelUpdate(patch)),
    meta: { failureTitle: "The channel was not changed", failure: "inline", invalidates: TOUCHED },
  });
}

export function removeChannelMutationOptions() {
  return mutationOptions({
    mutationFn: ({ id, version }: { id: string; version: number }) =>
      call(platform().commands.channelRemove(id, version)),
    meta: { failureTitle: "The channel was not removed", invalidates: TOUCHED },
  });
}

export function testChannelMutationOptions() {
  return mutationOptions({
    mutationFn: (id: string) => call(platform().commands.channelTest(id)),
    meta: { failureTitle: "The channel was not tried", failure: "inline", invalidates: ["alerts"] },
  });
}

export function pasteSecretMutationOptions() {
  return mutationOptions({
    mutationFn: (id: string) => call(platform().commands.channelPasteSecret(id)),
    meta: { failureTitle: "The secret was not saved", failure: "inline", invalidates: TOUCHED },
  });
}

export function setSecretMutationOptions() {
  return mutationOptions({
    mutationFn: ({ id, secret }: { id: string; secret: SecretBox }) =>
      call(platform().commands.channelSetSecret(id, secret.take())),
    meta: { failureTitle: "The secret was not saved", failure: "inline", invalidates: TOUCHED },
  });
}

export function renewSigningKeyMutationOptions() {
  return mutationOptions({
    mutationFn: (id: string) => call(platform().commands.channelRenewSigningKey(id)),
    meta: { failureTitle: "No new key was made", failure: "inline", invalidates: TOUCHED },
  });
}

export function setRuleMutationOptions() {
  return mutationOptions({
    mutationFn: (input: AlertRuleInput) => call(platform().commands.alertRuleSet(input)),
    meta: { failureTitle: "The rule was not changed", failure: "inline", invalidates: TOUCHED },
  });
}

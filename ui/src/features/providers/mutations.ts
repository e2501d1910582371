import { mutationOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import { callProposed } from "@/api/proposed";
import type { CacheTag, CircuitAction, ModelInput, ProviderInput, ProviderPatch } from "@/bindings";
import { notifySuccess } from "@/lib/notices";
import type { SecretBox } from "@/lib/secretBox";
import { platform } from "@/platform";

const TOUCHED: readonly CacheTag[] = ["providers", "operations", "status", "changes"];

export function addProviderMutationOptions() {
  return mutationOptions({
    mutationFn: (input: ProviderInput) => call(platform().commands.providerAdd(input)),
    meta: {
      failureTitle: "The provider was not added",
      failure: "inline",
      invalidates: TOUCHED,
    },
  });
}

/** For forms, which show the failure next to its cause. */
export function updateProviderMutationOptions() {
  return mutationOptions({
    mutationFn: (patch: ProviderPatch) => call(platform().commands.providerUpdate(patch)),
    meta: {
      failureTitle: "The provider was not changed",
      failure: "inline",
      invalidates: TOUCHED,
    },
  });
}

export function switchProviderMutationOptions() {
  return mutationOptions({
    mutationFn: (patch: ProviderPatch) => call(platform().commands.providerUpdate(patch)),
    meta: { failureTitle: "The provider was not switched", invalidates: TOUCHED },
  });
}

export function removeProviderMutationOptions() {
  return mutationOptions({
    mutationFn: (name: string) => call(platform().commands.providerRemove(name)),
    onSuccess: (_nothing, name) => notifySuccess(`${name} removed`),
    meta: {
      failureTitle: "The provider was not removed",
      failure: "inline",
      invalidates: TOUCHED,
    },
  });
}

export function pasteCredentialMutationOptions() {
  return mutationOptions({
    mutationFn: (name: string) => call(platform().commands.providerPasteCredential(name)),
    meta: { failureTitle: "The key was not stored", failure: "inline", invalidates: TOUCHED },
  });
}

/** The secret comes in a box, because what a mutation is called with stays in its cache. */
export function setCredentialMutationOptions() {
  return mutationOptions({
    mutationFn: ({ name, secret }: { name: string; secret: SecretBox }) =>
      call(platform().commands.providerSetCredential(name, secret.take())),
    meta: { failureTitle: "The key was not stored", failure: "inline", invalidates: TOUCHED },
  });
}

export function clearCredentialMutationOptions() {
  return mutationOptions({
    mutationFn: (name: string) => call(platform().commands.providerClearCredential(name)),
    onSuccess: (_provider, name) => notifySuccess(`The key of ${name} was removed`),
    meta: { failureTitle: "The key was not removed", invalidates: TOUCHED },
  });
}

export function verifyProviderMutationOptions() {
  return mutationOptions({
    mutationFn: (name: string) => call(platform().commands.providerVerify(name)),
    meta: {
      failureTitle: "The provider was not checked",
      failure: "inline",
      invalidates: ["providers", "health"],
    },
  });
}

export function addModelMutationOptions() {
  return mutationOptions({
    mutationFn: (input: ModelInput) => callProposed(platform().commands.modelAdd(input)),
    meta: {
      failureTitle: "The model was not added",
      failure: "inline",
      invalidates: ["providers", "operations", "changes"],
    },
  });
}

/** Holds a circuit open or resets it; the dialog shows why it was refused. */
export function circuitMutationOptions() {
  return mutationOptions({
    mutationFn: (action: CircuitAction) => call(platform().commands.circuitAction(action)),
    meta: {
      failureTitle: "The circuit was not changed",
      failure: "inline",
      invalidates: ["health", "operations", "changes"],
    },
  });
}

/** Takes that back, from its notice: there is no dialog left that could show a failure. */
export function undoCircuitMutationOptions() {
  return mutationOptions({
    mutationFn: (action: CircuitAction) => call(platform().commands.circuitAction(action)),
    meta: {
      failureTitle: "The circuit was not changed back",
      invalidates: ["health", "operations", "changes"],
    },
  });
}

import { mutationOptions, type QueryClient } from "@tanstack/react-query";
import { call } from "@/api/call";
import { callProposed } from "@/api/proposed";
import type { DesktopInput, PersonInput, PersonPatch, Setting } from "@/bindings";
import { platform } from "@/platform";
import { desktopQueryOptions, settingsQueryOptions } from "./queries";

/** The setting as it was when the change was made, and what it is to be. */
export type SettingChange = { setting: Setting; value: string };

const INVALIDATES = ["changes"] as const;

/** Gives a setting a value; its field shows why it was refused. */
export function setSettingMutationOptions() {
  return mutationOptions({
    mutationFn: setSetting,
    meta: {
      failureTitle: "The setting was not changed",
      failure: "inline",
      invalidates: INVALIDATES,
    },
  });
}

/** Gives it its old value again, from its notice: the field may be gone by then, so a failure is a notice too. */
export function undoSettingMutationOptions() {
  return mutationOptions({
    mutationFn: setSetting,
    onSuccess: (changed, _change, _result, { client }) => {
      if (changed !== null) showSetting(client, changed);
    },
    meta: { failureTitle: "The setting was not changed back", invalidates: INVALIDATES },
  });
}

/** Puts the answer in its place before the list is read again: the control must not jump back meanwhile. */
export function showSetting(client: QueryClient, changed: Setting): void {
  client.setQueryData(settingsQueryOptions().queryKey, (settings) =>
    settings?.map((setting) => (setting.name === changed.name ? changed : setting)),
  );
}

function setSetting({ setting, value }: SettingChange): Promise<Setting | null> {
  return callProposed(platform().commands.settingSet({ name: setting.name, value, reason: null }));
}

/** Lets somebody in; the form shows why not. */
export function addPersonMutationOptions() {
  return mutationOptions({
    mutationFn: (input: PersonInput) => callProposed(platform().commands.personAdd(input)),
    meta: {
      failureTitle: "The person was not added",
      failure: "inline",
      invalidates: ["people", "changes", "status"],
    },
  });
}

/** Gives somebody another role, shuts them out or lets them in again. */
export function updatePersonMutationOptions() {
  return mutationOptions({
    mutationFn: (patch: PersonPatch) => callProposed(platform().commands.personUpdate(patch)),
    meta: {
      failureTitle: "The person was not changed",
      invalidates: ["people", "changes", "status"],
    },
  });
}

/** Chooses what closing the window does. */
export function setDesktopMutationOptions() {
  return mutationOptions({
    mutationFn: (input: DesktopInput) => call(platform().commands.desktopSet(input)),
    onSuccess: (desktop, _input, _result, { client }) => {
      client.setQueryData(desktopQueryOptions().queryKey, desktop);
    },
    meta: { failureTitle: "The choice was not kept" },
  });
}

import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import { platform } from "@/platform";

export function settingsQueryOptions() {
  return queryOptions({
    queryKey: ["settings_list"] as const,
    queryFn: () => call(platform().commands.settingsList()),
  });
}

export function peopleQueryOptions() {
  return queryOptions({
    queryKey: ["people_list"] as const,
    queryFn: () => call(platform().commands.peopleList()),
  });
}

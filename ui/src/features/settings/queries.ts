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

/** What the desktop offers around the window may have changed since: it is asked each time. */
export function desktopQueryOptions() {
  return queryOptions({
    queryKey: ["desktop_show"] as const,
    queryFn: () => call(platform().commands.desktopShow()),
    staleTime: 0,
  });
}

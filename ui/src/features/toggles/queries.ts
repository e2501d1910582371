import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import { platform } from "@/platform";

export function togglesQueryOptions() {
  return queryOptions({
    queryKey: ["toggles_list"] as const,
    queryFn: () => call(platform().commands.togglesList()),
  });
}

import { mutationOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import { platform } from "@/platform";

/** Notes that a person has seen alerts; `null`: all there are. */
export function acknowledgeMutationOptions() {
  return mutationOptions({
    mutationFn: (ids: string[] | null) => call(platform().commands.alertsAcknowledge(ids)),
    meta: { failureTitle: "The alerts were not acknowledged", invalidates: ["alerts"] },
  });
}

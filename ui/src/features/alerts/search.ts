import { z } from "zod";
import { optionalText } from "@/lib/search";

/** The whole state of the screen, in the URL. */
export const alertsSearchSchema = z.object({
  kind: optionalText,
  severity: z.enum(["info", "warning", "critical"]).optional().catch(undefined),
  /** `all` shows what was acknowledged or is over, too. */
  show: z.enum(["all"]).optional().catch(undefined),
  /** Id of the alert whose detail is open. */
  alert: optionalText,
});

export type AlertsSearch = z.output<typeof alertsSearchSchema>;

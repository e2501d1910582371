import { z } from "zod";
import { optionalText } from "@/lib/search";
import { rangeSearch } from "@/lib/timeRange";

const flag = z.boolean().optional().catch(undefined);

/** The whole state of the screen, in the URL: which requests, and whose detail is open. */
export const logsSearchSchema = z.object({
  ...rangeSearch,
  operation: optionalText,
  provider: optionalText,
  model: optionalText,
  status: z
    .enum(["in_flight", "succeeded", "failed", "cancelled", "interrupted"])
    .optional()
    .catch(undefined),
  cost_status: z
    .enum(["exact", "provider_charged", "estimated", "unpriced"])
    .optional()
    .catch(undefined),
  key_id: optionalText,
  user: optionalText,
  simulated: flag,
  cost_min: optionalText,
  id: optionalText,
  /** The request whose detail is open. */
  request: optionalText,
});

export type LogsSearch = z.output<typeof logsSearchSchema>;

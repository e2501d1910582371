import { z } from "zod";
import { optionalText } from "@/lib/search";

export const approvalsSearchSchema = z.object({
  /** `decided` shows what is no longer waiting; absent: the queue. */
  view: z.enum(["decided"]).optional().catch(undefined),
  /** The approval that lies open. */
  approval: optionalText,
});

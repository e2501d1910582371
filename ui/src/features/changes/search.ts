import { z } from "zod";
import { optionalText } from "@/lib/search";

export const changesSearchSchema = z.object({
  kind: optionalText,
  subject: optionalText,
  actor: optionalText,
  /** Number of the entry whose detail is open. */
  seq: z.coerce.number().int().positive().optional().catch(undefined),
});

import { z } from "zod";
import { optionalText } from "@/lib/search";

/** The whole state of the screen, in the URL. */
export const changesSearchSchema = z.object({
  kind: optionalText,
  subject: optionalText,
  actor: optionalText,
  /** Number of the entry whose detail is open. */
  seq: z.coerce.number().int().positive().optional().catch(undefined),
});

export type ChangesSearch = z.output<typeof changesSearchSchema>;

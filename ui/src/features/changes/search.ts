import { z } from "zod";
import { optionalText } from "@/lib/search";
import { rangeSearch } from "@/lib/timeRange";

/** The whole state of the screen, in the URL. */
export const changesSearchSchema = z.object({
  kind: optionalText,
  subject: optionalText,
  actor: optionalText,
  /** Words of a sentence, a reason or a subject. */
  q: optionalText,
  ...rangeSearch,
  /** Shows the configuration as it was at this instant instead of the list. */
  at: optionalText,
  /** Kind and name of the thing whose state is open there. */
  thing: optionalText,
  /** Number of the entry whose detail is open. */
  seq: z.coerce.number().int().positive().optional().catch(undefined),
});

export type ChangesSearch = z.output<typeof changesSearchSchema>;

import { z } from "zod";
import { optionalText } from "@/lib/search";

/** What a link may have chosen already. */
export const drillsSearchSchema = z.object({
  /** The simulated model that goes wrong. */
  model: optionalText,
  /** Under which operation the requests run. */
  operation: optionalText,
});

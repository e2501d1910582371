import { z } from "zod";
import { optionalText } from "@/lib/search";

export const providersSearchSchema = z.object({
  /** The provider whose detail is open. */
  provider: optionalText,
  /** The model of it whose health is open. */
  model: optionalText,
  /** The history of failovers instead of the cards, perhaps of one operation or from one provider. */
  view: z.enum(["failovers"]).optional().catch(undefined),
  operation: optionalText,
  from: optionalText,
  /** Words to find in name, kind, address and models. */
  q: optionalText,
  /** Opens "Add provider". */
  add: z.boolean().optional().catch(undefined),
});

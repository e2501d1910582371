import { z } from "zod";
import { optionalText } from "@/lib/search";

export const providersSearchSchema = z.object({
  /** The provider whose detail is open. */
  provider: optionalText,
  /** Words to find in name, kind, address and models. */
  q: optionalText,
  /** Opens "Add provider". */
  add: z.boolean().optional().catch(undefined),
});

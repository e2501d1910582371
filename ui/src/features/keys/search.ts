import { z } from "zod";

export const keysSearchSchema = z.object({
  /** Opens "Create key". */
  create: z.boolean().optional().catch(undefined),
});

import { z } from "zod";

export const FIRST_RUN_STEPS = ["connect", "key", "send"] as const;

export const firstRunSearchSchema = z.object({
  step: z.enum(FIRST_RUN_STEPS).optional().catch(undefined),
});

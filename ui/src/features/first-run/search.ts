import { z } from "zod";
import { STEPS } from "./progress";

export const firstRunSearchSchema = z.object({
  step: z.enum(STEPS).optional().catch(undefined),
});

import { z } from "zod";
import { rangeSearch } from "@/lib/timeRange";

export const overviewSearchSchema = z.object({
  ...rangeSearch,
  group: z.enum(["operation", "provider", "model"]).optional().catch(undefined),
});

import { z } from "zod";
import { rangeSearch } from "@/lib/timeRange";

export const overviewSearchSchema = z.object({
  ...rangeSearch,
  group: z.enum(["operation", "provider", "model"]).optional().catch(undefined),
  /** What the chart stacks; chosen by what there is to show when absent. */
  metric: z.enum(["spend", "requests"]).optional().catch(undefined),
  /** The chart as a table. */
  table: z.boolean().optional().catch(undefined),
});

import { z } from "zod";
import { optionalText } from "@/lib/search";

export const operationsSearchSchema = z.object({
  /** The operation whose route is open in the editor. */
  operation: optionalText,
});

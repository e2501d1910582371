import { z } from "zod";
import { optionalText } from "@/lib/search";

/** The whole state of the screen, in the URL. */
export const keysSearchSchema = z.object({
  /** Opens "Create key". */
  create: z.boolean().optional().catch(undefined),
  /** The key whose detail is open. */
  key: optionalText,
  /** Only the keys that still open something, or only those that no longer do. */
  state: z.enum(["active", "revoked"]).optional().catch(undefined),
  /** Part of a name, a scope or the last four characters. */
  q: optionalText,
});

export type KeysSearch = z.output<typeof keysSearchSchema>;

import { z } from "zod";
import { optionalText } from "@/lib/search";

/** The whole state of the screen, in the URL. */
export const keysSearchSchema = z.object({
  /** Opens "Create key". */
  create: z.boolean().optional().catch(undefined),
  /** The key whose detail is open. */
  key: optionalText,
  /** Opens the dialog that gives the key whose detail is open a new secret. */
  rotate: z.boolean().optional().catch(undefined),
  /** Only the keys that still open something, or only those that no longer do. */
  state: z.enum(["active", "expired", "revoked"]).optional().catch(undefined),
  /** Part of a name, an owner, a scope or the last four characters. */
  q: optionalText,
});

export type KeysSearch = z.output<typeof keysSearchSchema>;

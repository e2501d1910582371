import { z } from "zod";
import { optionalText } from "@/lib/search";

/** The whole state of the screen, in the URL. */
export const notificationsSearchSchema = z.object({
  view: z.enum(["rules", "deliveries"]).optional().catch(undefined),
  /** Id of the channel whose detail is open, or whose deliveries are shown. */
  channel: optionalText,
  /** Kind of alert whose rule is open. */
  rule: optionalText,
  /** The dialog that adds a channel is open. */
  add: z.coerce.boolean().optional().catch(undefined),
});

export type NotificationsSearch = z.output<typeof notificationsSearchSchema>;

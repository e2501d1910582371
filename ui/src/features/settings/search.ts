import { z } from "zod";
import { optionalText } from "@/lib/search";

/** The whole state of the screen, in the URL. */
export const settingsSearchSchema = z.object({
  /** Words that all stand in a setting's name, label, text or choices. */
  q: optionalText,
  /** Name of the setting a link leads to. */
  setting: optionalText,
});

export type SettingsSearch = z.output<typeof settingsSearchSchema>;

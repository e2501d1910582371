import { z } from "zod";
import { optionalText } from "@/lib/search";

/** The whole state of the screen, in the URL. */
export const budgetsSearchSchema = z.object({
  /** `history` shows who spent what, day by day, instead of the budgets. */
  view: z.enum(["history"]).optional().catch(undefined),
  /** The budget whose detail is open. */
  budget: optionalText,
  /** The user or operation of it, for a budget of each. */
  member: optionalText,
  /** Opens the editor: for the open budget, or for a new one. */
  edit: z.boolean().optional().catch(undefined),
  create: z.boolean().optional().catch(undefined),
  /** The API key that a new budget is for. */
  for_key: optionalText,
  /** Part of a name. */
  q: optionalText,
  /** Budgets of each user or operation that are folded out, separated by commas. */
  open: optionalText,
  /** How the history of spend is split, and how far back it goes. */
  by: z.enum(["operation", "user", "provider", "model"]).optional().catch(undefined),
  days: z
    .union([z.literal(7), z.literal(30), z.literal(90)])
    .optional()
    .catch(undefined),
});

export type BudgetsSearch = z.output<typeof budgetsSearchSchema>;

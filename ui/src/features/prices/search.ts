import { z } from "zod";
import { optionalText } from "@/lib/search";

/** The whole state of the screen, in the URL. */
export const pricesSearchSchema = z.object({
  /** The model whose prices are open, as `provider/model`. */
  price: optionalText,
  /** With the form for a price of one's own. */
  edit: z.boolean().optional().catch(undefined),
  /** Opens the import of a price list. */
  import: z.boolean().optional().catch(undefined),
  /** Part of `provider/model`. */
  q: optionalText,
  provider: optionalText,
  capability: optionalText,
  /** Whose the price in force is. */
  origin: z.enum(["shipped", "imported", "own"]).optional().catch(undefined),
  /** Only models without a price. */
  unpriced: z.boolean().optional().catch(undefined),
});

export type PricesSearch = z.output<typeof pricesSearchSchema>;

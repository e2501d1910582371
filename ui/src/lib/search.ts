import { z } from "zod";

/** Text in the URL; anything that is not text is treated as absent. The router parses `?q=12` as a number. */
export const optionalText = z
  .union([z.string(), z.number(), z.boolean()])
  .transform((value) => String(value))
  .optional()
  .catch(undefined);

/**
 * Turns a schema whose fields all `.catch` into a router validator: it never throws and drops what is absent. What is there
 * and not understood is set to nothing: the router lays the result over the raw search, which would show through a gap.
 */
export function searchValidator<Shape extends z.ZodRawShape>(schema: z.ZodObject<Shape>) {
  type Output = z.output<z.ZodObject<Shape>>;
  return (raw: Record<string, unknown>): Output => {
    const result = schema.safeParse(raw);
    // An object schema of catching fields cannot fail; an empty search is the safe reading if one does.
    const parsed: Record<string, unknown> = result.success ? result.data : {};
    return Object.fromEntries(
      Object.entries(parsed).filter(([key, value]) => value !== undefined || key in raw),
    ) as Output;
  };
}

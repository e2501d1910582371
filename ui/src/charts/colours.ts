/** Colours of series: six and one for the rest, by meaningless token, so that light and dark are one place's business. */
export const SERIES_COLOURS = 6;

/** The name of the rest in every chart. */
export const OTHER = "Other";

/**
 * A colour slot (1..6) per key. A key prefers the slot its name hashes to, so it keeps its colour from screen to screen; two that
 * prefer the same one are told apart.
 */
export function assignSlots(keys: readonly string[]): Map<string, number> {
  const taken = new Set<number>();
  const slots = new Map<string, number>();
  for (const key of keys.slice(0, SERIES_COLOURS)) {
    let slot = hash(key) % SERIES_COLOURS;
    while (taken.has(slot)) slot = (slot + 1) % SERIES_COLOURS;
    taken.add(slot);
    slots.set(key, slot + 1);
  }
  return slots;
}

/** The custom property of a slot; slot 0 is the rest. */
export function slotToken(slot: number): string {
  return slot === 0 ? "--chart-other" : `--chart-${slot}`;
}

function hash(text: string): number {
  let value = 2_166_136_261;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 16_777_619);
  }
  return value >>> 0;
}

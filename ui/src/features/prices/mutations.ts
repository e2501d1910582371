import { mutationOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import { callProposed } from "@/api/proposed";
import type { CacheTag, Change, PriceImportChoice, PriceInput, UnblockInput } from "@/bindings";
import { platform } from "@/platform";

const TOUCHED: readonly CacheTag[] = ["prices", "providers", "operations", "changes"];

/** The price as set, and the entry of the history that takes it back. */
export function setPriceMutationOptions() {
  return mutationOptions({
    mutationFn: async (input: PriceInput) => {
      const row = await callProposed(platform().commands.priceSet(input));
      if (row === null) return null;
      return { row, change: await newestChange((change) => change.subject === row.target) };
    },
    meta: { failureTitle: "The price was not set", failure: "inline", invalidates: TOUCHED },
  });
}

/** Lets a blocked model be used again at the price it has. */
export function unblockMutationOptions() {
  return mutationOptions({
    mutationFn: (input: UnblockInput) => callProposed(platform().commands.modelUnblock(input)),
    meta: { failureTitle: "The model was not unblocked", invalidates: TOUCHED },
  });
}

/** Reads a price list; the list itself changes nothing. */
export function previewImportMutationOptions() {
  return mutationOptions({
    mutationFn: (text: string) => call(platform().commands.priceImportPreview(text)),
    meta: { failureTitle: "The price list was not read", failure: "inline" },
  });
}

export function applyImportMutationOptions() {
  return mutationOptions({
    mutationFn: async (choice: PriceImportChoice) => {
      const result = await callProposed(platform().commands.priceImportApply(choice));
      if (result === null) return null;
      const change = await newestChange(({ sentence }) => sentence === result.sentence);
      return { result, change };
    },
    meta: {
      failureTitle: "The prices were not taken over",
      failure: "inline",
      invalidates: TOUCHED,
    },
  });
}

/** Takes a change of prices back, from its notice. */
export function undoPriceMutationOptions() {
  return mutationOptions({
    mutationFn: (seq: number) => callProposed(platform().commands.changeRevert(seq, null)),
    meta: { failureTitle: "The prices were not put back", invalidates: TOUCHED },
  });
}

/** Entries between ours and now, if somebody else was quick. */
const LOOK_BACK = 5;

/** The entry a command has just made; undefined when nothing changed or the history cannot be read. */
async function newestChange(isIt: (change: Change) => boolean): Promise<Change | undefined> {
  try {
    const page = await call(platform().commands.changesPage({ kind: "price" }, null, LOOK_BACK));
    return page.rows.find(isIt);
  } catch {
    // The price is set all the same; only the short way back is missing.
    return undefined;
  }
}

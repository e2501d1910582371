/** Which prices of a list are taken over. */

import type { PriceImportPreview } from "@/bindings";

export const IMPORT_TABS = ["new", "changed", "suspicious", "unchanged", "skipped"] as const;
export type ImportTab = (typeof IMPORT_TABS)[number];

export const TAB_WORDS: Record<ImportTab, string> = {
  new: "New",
  changed: "Changed",
  suspicious: "Suspicious",
  unchanged: "Unchanged",
  skipped: "Skipped",
};

/** How many rows each tab has. */
export function tabCounts(preview: PriceImportPreview): Record<ImportTab, number> {
  const suspicious = preview.changed.filter((row) => row.suspicious.length > 0).length;
  return {
    new: preview.new.length,
    changed: preview.changed.length - suspicious,
    suspicious,
    unchanged: preview.unchanged.length,
    skipped: preview.skipped.length,
  };
}

/** What can be chosen on a tab. */
export function selectable(preview: PriceImportPreview, tab: ImportTab): string[] {
  switch (tab) {
    case "new":
      return preview.new.map(({ target }) => target);
    case "changed":
      return preview.changed
        .filter((row) => row.suspicious.length === 0)
        .map(({ target }) => target);
    case "suspicious":
      return preview.changed.filter((row) => row.suspicious.length > 0).map(({ target }) => target);
    case "unchanged":
    case "skipped":
      return [];
  }
}

/**
 * What is chosen to begin with: believable changes, and prices for models that are here without one. Nothing suspicious, and no
 * model this installation does not have.
 */
export function firstChoice(preview: PriceImportPreview): Set<string> {
  return new Set([
    ...selectable(preview, "changed"),
    ...preview.new.filter(({ known }) => known).map(({ target }) => target),
  ]);
}

/** The tab that has something to decide. */
export function firstTab(preview: PriceImportPreview): ImportTab {
  const counts = tabCounts(preview);
  const order: readonly ImportTab[] = ["changed", "new", "suspicious", "unchanged", "skipped"];
  return order.find((tab) => counts[tab] > 0) ?? "changed";
}

/** All of a tab, or none of it when all were chosen. */
export function toggleAll(chosen: ReadonlySet<string>, targets: readonly string[]): Set<string> {
  const all = targets.every((target) => chosen.has(target));
  const next = new Set(chosen);
  for (const target of targets) {
    if (all) next.delete(target);
    else next.add(target);
  }
  return next;
}

export function toggleOne(chosen: ReadonlySet<string>, target: string): Set<string> {
  const next = new Set(chosen);
  if (!next.delete(target)) next.add(target);
  return next;
}

/** The largest list the backend reads. Units: bytes. */
export const LIST_BYTES_MAX = 32 * 1024 * 1024;

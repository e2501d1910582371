import type { Query, QueryClient } from "@tanstack/react-query";
import type { CacheTag } from "@/bindings";
import { PROVIDED_TAGS, type QueryKey } from "./keys";

/** At most four refreshes per second, and never more often than twice the time one takes. */
const SPACING_MS = 250;
/** A hidden window keeps its data roughly fresh without painting for nobody. */
const HIDDEN_SPACING_MS = 2_000;

/**
 * Refetches what the tags touch, one round at a time. Tags that arrive during a round are collected for the next:
 * restarting a fetch in flight on each event would let a busy gateway starve the window of every answer.
 */
export function createTagRefresher(client: QueryClient): (tags: readonly CacheTag[]) => void {
  const pending = new Set<CacheTag>();
  let running = false;

  async function drain(): Promise<void> {
    running = true;
    while (pending.size > 0) {
      const tags = new Set(pending);
      pending.clear();
      const started = performance.now();
      await refreshTags(client, tags);
      const took = performance.now() - started;
      await sleep(Math.max(document.hidden ? HIDDEN_SPACING_MS : SPACING_MS, took * 2));
    }
    running = false;
  }

  return (tags) => {
    for (const tag of tags) pending.add(tag);
    if (!running) void drain();
  };
}

/**
 * Marks everything that carries one of `tags` as stale and waits for the visible ones to be fetched again. What was being
 * fetched already may have been read before the change: it is let finish, and then fetched once more.
 */
export async function refreshTags(client: QueryClient, tags: ReadonlySet<CacheTag>): Promise<void> {
  const touched = (query: Query) => isTouched(query.queryKey, tags);
  const underWay = new Set(
    client.getQueryCache().findAll({ predicate: touched, fetchStatus: "fetching" }),
  );
  await client.invalidateQueries({ predicate: touched }, { cancelRefetch: false });
  if (underWay.size === 0) return;
  await client.invalidateQueries(
    { predicate: (query) => underWay.has(query) },
    { cancelRefetch: false },
  );
}

/** Older pages of a keyset list stay as they were read; the head of the list brings what is new. */
export function isTouched(key: QueryKey, tags: ReadonlySet<CacheTag>): boolean {
  if (key[1] === "older") return false;
  return PROVIDED_TAGS[key[0]].some((tag) => tags.has(tag));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

import { MutationCache, QueryClient } from "@tanstack/react-query";
import type { CacheTag } from "@/bindings";
import { notifyFailure } from "@/lib/notices";
import type { QueryKey } from "./keys";
import { refreshTags } from "./tags";

/** What every mutation says about itself. */
export type AppMutationMeta = {
  /** Names what did not happen: "The provider was not added". */
  failureTitle: string;
  /** `inline`: the form shows the message next to its cause, so no notice appears. */
  failure?: "notice" | "inline";
  /** Refetched at once; the backend's own event follows and covers other windows. */
  invalidates?: readonly CacheTag[];
};

declare module "@tanstack/react-query" {
  interface Register {
    queryKey: QueryKey;
    mutationMeta: AppMutationMeta;
  }
}

/** Local calls: no retries, no polling, no staleness by time. Events say what changed. */
export function createQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: "always",
        retry: false,
        staleTime: Number.POSITIVE_INFINITY,
        refetchOnWindowFocus: false,
        refetchOnReconnect: false,
      },
      mutations: { networkMode: "always", retry: false },
    },
    mutationCache: new MutationCache({
      onError: (error, _variables, _context, mutation) => {
        const meta = mutation.meta;
        if (meta?.failure === "inline") return;
        notifyFailure(meta?.failureTitle ?? "That did not work", error.message);
      },
      onSettled: (_data, _error, _variables, _context, mutation) => {
        const tags = mutation.meta?.invalidates;
        if (tags) void refreshTags(client, new Set(tags));
      },
    }),
  });
  return client;
}

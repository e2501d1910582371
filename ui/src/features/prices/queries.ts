import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { PriceFilter, PriceInput } from "@/bindings";
import { platform } from "@/platform";

/** The most rows the backend hands out at once: a list of thousands is read in few steps. */
const PAGE_ROWS = 500;

/** Models by name, page by page. Prices change anywhere in the list, so all that was read is read again. */
export function pricesQueryOptions(filter: PriceFilter) {
  return infiniteQueryOptions({
    queryKey: ["prices_page", filter] as const,
    queryFn: ({ pageParam }) => call(platform().commands.pricesPage(filter, pageParam, PAGE_ROWS)),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: keepPreviousData,
  });
}

export function priceHistoryQueryOptions(target: string) {
  return queryOptions({
    queryKey: ["price_history", target] as const,
    queryFn: () => call(platform().commands.priceHistory(target)),
  });
}

/** What new prices would change. Asked anew for every state of the form, and not kept. */
export function pricePreviewQueryOptions(input: PriceInput) {
  return queryOptions({
    queryKey: ["price_preview", JSON.stringify(input)] as const,
    queryFn: () => call(platform().commands.pricePreview(input)),
    placeholderData: keepPreviousData,
    gcTime: 0,
  });
}

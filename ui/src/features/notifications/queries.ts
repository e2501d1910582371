import { queryOptions } from "@tanstack/react-query";
import { call } from "@/api/call";
import type { QueryKey } from "@/api/keys";
import { PAGE_ROWS } from "@/api/keyset";
import type { DeliveryFilter, DeliveryPage } from "@/bindings";
import { platform } from "@/platform";

export function channelsQueryOptions() {
  return queryOptions({
    queryKey: ["channels_list"],
    queryFn: () => call(platform().commands.channelsList()),
  });
}

export function deliveriesHeadKey(filter: DeliveryFilter): QueryKey {
  return ["deliveries_page", "head", filter];
}

export function deliveriesOlderKey(filter: DeliveryFilter, cursor: string): QueryKey {
  return ["deliveries_page", "older", filter, cursor];
}

export function fetchDeliveries(
  filter: DeliveryFilter,
  cursor: string | null,
): Promise<DeliveryPage> {
  return call(platform().commands.deliveriesPage(filter, cursor, PAGE_ROWS));
}

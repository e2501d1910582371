import { Button } from "@mantine/core";
import { IconFilterOff, IconSend } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { useKeysetList } from "@/api/keyset";
import type { AlertDelivery, DeliveryFilter, DeliveryPage } from "@/bindings";
import type { Column } from "@/components/DataTable";
import { DeliveryBadge } from "@/components/DeliveryBadge";
import { EmptyState } from "@/components/EmptyState";
import { KeysetTable } from "@/components/KeysetTable";
import { RelativeTime } from "@/components/RelativeTime";
import { deliveriesHeadKey, deliveriesOlderKey, fetchDeliveries } from "../queries";

/** Below this the table scrolls sideways in its own frame. */
const MIN_WIDTH = 820;

const CAUSES: Record<string, string> = {
  raised: "Alert",
  escalated: "Second round",
  test: "Test",
};

const COLUMNS: readonly Column<AlertDelivery>[] = [
  {
    id: "time",
    header: "Time",
    width: "108px",
    cell: (delivery) => <RelativeTime value={delivery.created_at} />,
  },
  {
    id: "channel",
    header: "Channel",
    width: "minmax(150px, 1fr)",
    cell: (delivery) => <span title={delivery.channel}>{delivery.channel}</span>,
  },
  {
    id: "cause",
    header: "Why",
    width: "116px",
    cell: (delivery) => CAUSES[delivery.cause] ?? delivery.cause,
  },
  {
    id: "state",
    header: "State",
    width: "minmax(180px, 1fr)",
    cell: (delivery) => <DeliveryBadge delivery={delivery} />,
  },
  {
    id: "error",
    header: "What the last try failed of",
    width: "minmax(200px, 2fr)",
    cell: (delivery) =>
      delivery.error === null ? (
        <span className="muted">–</span>
      ) : (
        <span title={delivery.error}>{delivery.error}</span>
      ),
  },
];

type Props = { channel: string | undefined; onClear: () => void };

/** What became of each telling, newest first. A row leads to its alert. */
export function DeliveriesView({ channel, onClear }: Props) {
  const navigate = useNavigate({ from: "/notifications" });
  const filter = useMemo<DeliveryFilter>(
    () => (channel === undefined ? {} : { channel }),
    [channel],
  );
  const list = useKeysetList<AlertDelivery, DeliveryPage>({
    headKey: deliveriesHeadKey(filter),
    olderKey: (cursor) => deliveriesOlderKey(filter, cursor),
    fetchPage: (cursor) => fetchDeliveries(filter, cursor),
    rowId,
  });
  return (
    <KeysetTable
      list={list}
      noun="delivery"
      nouns="deliveries"
      label="Deliveries"
      columns={COLUMNS}
      rowId={rowId}
      minWidth={MIN_WIDTH}
      rowTestId="delivery-row"
      onOpen={(delivery) => {
        if (delivery.alert_id === null) return;
        void navigate({ to: "/alerts", search: { show: "all", alert: delivery.alert_id } });
      }}
      empty={
        channel === undefined ? (
          <EmptyState
            icon={IconSend}
            title="Each telling of an alert will stand here"
            data-testid="deliveries-empty"
          >
            With whether it arrived, and what it failed of if it did not.
          </EmptyState>
        ) : (
          <EmptyState
            icon={IconFilterOff}
            title="Nothing was told on this channel yet"
            action={
              <Button variant="default" onClick={onClear} data-testid="deliveries-clear">
                Show all deliveries
              </Button>
            }
          />
        )
      }
      data-testid="deliveries-table"
    />
  );
}

function rowId(delivery: AlertDelivery): string {
  return delivery.id;
}

import { Button } from "@mantine/core";
import { IconBellPlus } from "@tabler/icons-react";
import type { AlertChannel } from "@/bindings";
import { type Column, DataTable } from "@/components/DataTable";
import { DeliveryBadge } from "@/components/DeliveryBadge";
import { EmptyState } from "@/components/EmptyState";
import { StatusBadge } from "@/components/StatusBadge";
import { MEANS, placeWords, severityWord } from "../model";
import classes from "./parts.module.css";

/** Below this the table scrolls sideways in its own frame. */
const MIN_WIDTH = 860;

const COLUMNS: readonly Column<AlertChannel>[] = [
  {
    id: "name",
    header: "Channel",
    width: "minmax(160px, 1.2fr)",
    cell: (channel) => {
      const { icon: Icon, word } = MEANS[channel.means.kind];
      return (
        <span className={classes.name} title={`${channel.name}, ${word}`}>
          <Icon size={16} stroke={1.75} aria-hidden />
          <span className="ellipsis">{channel.name}</span>
        </span>
      );
    },
  },
  {
    id: "kind",
    header: "Kind",
    width: "96px",
    cell: (channel) => MEANS[channel.means.kind].word,
  },
  {
    id: "place",
    header: "Where",
    width: "minmax(180px, 1.6fr)",
    cell: (channel) => <span title={placeWords(channel)}>{placeWords(channel)}</span>,
  },
  {
    id: "least",
    header: "Told from",
    width: "96px",
    hint: "The mildest alert that is told there, unless a rule names the channel",
    cell: (channel) => severityWord(channel.least),
  },
  {
    id: "state",
    header: "State",
    width: "minmax(170px, 1fr)",
    cell: (channel) => (
      <StatusBadge
        tone={channel.ready ? "ok" : channel.enabled ? "warn" : "neutral"}
        title={channel.problem ?? undefined}
      >
        {channel.problem ?? "Ready"}
      </StatusBadge>
    ),
  },
  {
    id: "last",
    header: "Last delivery",
    width: "minmax(150px, 0.9fr)",
    cell: (channel) =>
      channel.last === null ? (
        <span className="muted">None yet</span>
      ) : (
        <DeliveryBadge delivery={channel.last} />
      ),
  },
];

type Props = {
  channels: AlertChannel[];
  openId: string | undefined;
  onOpen: (id: string) => void;
  onAdd: () => void;
};

/** Where alerts are told. */
export function ChannelsView({ channels, openId, onOpen, onAdd }: Props) {
  return (
    <DataTable
      label="Channels"
      columns={COLUMNS}
      rows={channels}
      rowId={(channel) => channel.id}
      minWidth={MIN_WIDTH}
      rowTestId="channel-row"
      openId={openId}
      onOpen={(channel) => onOpen(channel.id)}
      isDimmed={(channel) => !channel.enabled}
      pageKeys
      footer={
        channels.length > 1 ? null : (
          <EmptyState
            icon={IconBellPlus}
            title="Alerts are told on this computer only"
            action={
              <Button variant="default" onClick={onAdd} data-testid="channels-empty-add">
                Add a channel
              </Button>
            }
          >
            Discord, Slack, a program of yours or mail can hear of them, too.
          </EmptyState>
        )
      }
      data-testid="channels-table"
    />
  );
}

import { Button } from "@mantine/core";
import { IconClockPause } from "@tabler/icons-react";
import type { ApiKey } from "@/bindings";
import type { Column } from "@/components/DataTable";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import {
  IDLE_DAYS,
  isIdle,
  keyState,
  limitWords,
  maskedKey,
  sameLimits,
  scopeWords,
} from "./model";

/** Below this the table scrolls sideways in its own frame. */
export const KEY_MIN_WIDTH = 960;

type Options = { nowMs: number; onRevoke: (key: ApiKey) => void };

/** Fixed widths where the content is, so that "last used" ticking does not move a column. */
export function keyColumns({ nowMs, onRevoke }: Options): readonly Column<ApiKey>[] {
  return [
    {
      id: "name",
      header: "Name",
      width: "minmax(138px, 1.4fr)",
      cell: (key) => <span title={key.name}>{key.name}</span>,
      sortValue: (key) => key.name,
    },
    {
      id: "key",
      header: "Key",
      width: "132px",
      hint: "Its beginning and its last four characters; Signalbox does not have the rest",
      cell: (key) => <span className="mono">{maskedKey(key)}</span>,
    },
    {
      id: "operations",
      header: "May use",
      width: "minmax(120px, 1fr)",
      cell: (key) => (
        <span title={key.operations.join("\n") || "Every operation, also ones added later"}>
          {scopeWords(key.operations)}
        </span>
      ),
    },
    {
      id: "limits",
      header: "Limits",
      width: "minmax(136px, 1.1fr)",
      hint: "Requests per minute, at the same time, and the size of one",
      cell: (key) => (
        <span className={noLimits(key) ? "muted" : undefined} title={limitWords(key.limits)}>
          {noLimits(key) ? "none" : limitWords(key.limits)}
        </span>
      ),
    },
    {
      id: "created",
      header: "Created",
      width: "112px",
      cell: (key) => <RelativeTime value={key.created_at} />,
      sortValue: (key) => Date.parse(key.created_at),
    },
    {
      id: "used",
      header: "Last used",
      width: "116px",
      cell: (key) => <LastUsed apiKey={key} nowMs={nowMs} />,
      sortValue: (key) => (key.last_used_at === null ? null : Date.parse(key.last_used_at)),
    },
    {
      id: "state",
      header: "State",
      width: "96px",
      cell: (key) => <KeyStateBadge apiKey={key} />,
      sortValue: keyState,
    },
    {
      id: "revoke",
      header: "",
      width: "80px",
      align: "end",
      cell: (key) =>
        key.revoked_at === null ? (
          <Button
            variant="subtle"
            color="critical"
            size="compact-xs"
            h={24}
            aria-label={`Revoke ${key.name}`}
            onClick={(event) => {
              event.stopPropagation();
              onRevoke(key);
            }}
            data-testid="key-revoke"
          >
            Revoke
          </Button>
        ) : null,
    },
  ];
}

export function KeyStateBadge({ apiKey, boxed }: { apiKey: ApiKey; boxed?: boolean }) {
  return keyState(apiKey) === "active" ? (
    <StatusBadge tone="ok" boxed={boxed ?? false}>
      Active
    </StatusBadge>
  ) : (
    <StatusBadge tone="neutral" boxed={boxed ?? false}>
      Revoked
    </StatusBadge>
  );
}

function noLimits(key: ApiKey): boolean {
  return sameLimits(key.limits, {});
}

function LastUsed({ apiKey, nowMs }: { apiKey: ApiKey; nowMs: number }) {
  const used = <RelativeTime value={apiKey.last_used_at} absent="never" />;
  if (!isIdle(apiKey, nowMs)) return used;
  return (
    <StatusBadge
      tone="warn"
      icon={IconClockPause}
      title={`Not used for ${IDLE_DAYS} days or more. Revoke it if nobody needs it.`}
    >
      {used}
    </StatusBadge>
  );
}

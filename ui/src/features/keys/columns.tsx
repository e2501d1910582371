import { IconClockPause, IconHourglassLow, IconRefresh } from "@tabler/icons-react";
import type { ApiKey } from "@/bindings";
import type { Column } from "@/components/DataTable";
import { RelativeTime } from "@/components/RelativeTime";
import { StatusBadge } from "@/components/StatusBadge";
import { IDLE_DAYS, limitWords, maskedKey, sameLimits, scopeWords } from "./model";

/** Below this the table scrolls sideways in its own frame. */
export const KEY_MIN_WIDTH = 960;

/** What each key's own budgets allow, in words, by the key's id. */
type Options = { budgets: ReadonlyMap<string, string> };

/** Fixed widths where the content is, so that "last used" ticking does not move a column. */
export function keyColumns({ budgets }: Options): readonly Column<ApiKey>[] {
  return [
    {
      id: "name",
      header: "Name",
      width: "minmax(104px, 1.3fr)",
      cell: (key) => <span title={key.name}>{key.name}</span>,
      sortValue: (key) => key.name,
    },
    {
      id: "state",
      header: "State",
      width: "96px",
      cell: (key) => <KeyStateBadge apiKey={key} />,
      sortValue: (key) => key.state,
    },
    {
      id: "owner",
      header: "Owner",
      width: "minmax(72px, 0.8fr)",
      hint: "Who answers for it",
      cell: (key) =>
        key.owner === null ? (
          <span className="muted">–</span>
        ) : (
          <span title={key.owner}>{key.owner}</span>
        ),
      sortValue: (key) => key.owner,
    },
    {
      id: "key",
      header: "Key",
      width: "124px",
      hint: "Its beginning and its last four characters; Signalbox does not have the rest",
      cell: (key) => <span className="mono">{maskedKey(key)}</span>,
    },
    {
      id: "operations",
      header: "May use",
      width: "minmax(104px, 1.2fr)",
      hint: "Operations, and where its requests may go",
      cell: (key) => (
        <span title={[...key.operations, ...key.targets].join("\n") || "Every operation, anywhere"}>
          {scopeWords(key)}
        </span>
      ),
    },
    {
      id: "limits",
      header: "Limits",
      width: "minmax(112px, 1.4fr)",
      hint: "Its own budgets, requests per minute, at the same time, and the size of one",
      cell: (key) => {
        const words = [
          budgets.get(key.id) ?? "",
          noLimits(key) ? "" : limitWords(key.limits),
        ].filter((part) => part !== "");
        return words.length === 0 ? (
          <span className="muted">none</span>
        ) : (
          <span title={words.join("\n")}>{words.join(", ")}</span>
        );
      },
    },
    {
      id: "created",
      header: "Created",
      width: "104px",
      cell: (key) => <RelativeTime value={key.created_at} />,
      sortValue: (key) => Date.parse(key.created_at),
    },
    {
      id: "expires",
      header: "Expires",
      width: "124px",
      cell: (key) => <Expiry apiKey={key} />,
      sortValue: (key) => (key.expires_at === null ? null : Date.parse(key.expires_at)),
    },
    {
      id: "used",
      header: "Last used",
      width: "116px",
      cell: (key) => <LastUsed apiKey={key} />,
      sortValue: (key) => (key.last_used_at === null ? null : Date.parse(key.last_used_at)),
    },
  ];
}

export function KeyStateBadge({ apiKey, boxed = false }: { apiKey: ApiKey; boxed?: boolean }) {
  if (apiKey.state !== "active") {
    return (
      <StatusBadge tone="neutral" boxed={boxed}>
        {apiKey.state === "expired" ? "Expired" : "Revoked"}
      </StatusBadge>
    );
  }
  if (apiKey.former !== null) {
    return (
      <StatusBadge
        tone="info"
        icon={IconRefresh}
        boxed={boxed}
        title={`It was rotated: the secret that ends in ${apiKey.former.last4} still opens.`}
      >
        Rotating
      </StatusBadge>
    );
  }
  return (
    <StatusBadge tone="ok" boxed={boxed}>
      Active
    </StatusBadge>
  );
}

/** When it ends, marked when that is soon. */
export function Expiry({ apiKey, format }: { apiKey: ApiKey; format?: "full" }) {
  const end = (
    <RelativeTime value={apiKey.expires_at} format={format ?? "relative"} absent="never" />
  );
  if (!apiKey.expires_soon) return end;
  return (
    <StatusBadge
      tone="warn"
      icon={IconHourglassLow}
      title="It expires within a week. Give it more time, or its programs are refused then."
    >
      {end}
    </StatusBadge>
  );
}

function noLimits(key: ApiKey): boolean {
  return sameLimits(key.limits, {});
}

function LastUsed({ apiKey }: { apiKey: ApiKey }) {
  const used = <RelativeTime value={apiKey.last_used_at} absent="never" />;
  if (!apiKey.idle) {
    const what = apiKey.last_used_for;
    return what === null ? used : <span title={`for ${what}`}>{used}</span>;
  }
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

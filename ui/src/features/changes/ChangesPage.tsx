import { Button, Select, TextInput } from "@mantine/core";
import { IconFilterOff, IconHistory, IconSearch } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { useKeysetList } from "@/api/keyset";
import type { Change, ChangeFilter } from "@/bindings";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { Page } from "@/components/Page";
import { SheetHost } from "@/components/Sheet";
import { Skeleton } from "@/components/Skeletons";
import { StatusBadge } from "@/components/StatusBadge";
import { plural } from "@/lib/numbers";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import classes from "./ChangesPage.module.css";
import { CHANGE_COLUMNS, CHANGES_MIN_WIDTH } from "./columns";
import { ChainBadge } from "./components/ChainBadge";
import { ChangeSheet } from "./components/ChangeSheet";
import { RevertDialog } from "./components/RevertDialog";
import { KIND_OPTIONS } from "./kinds";
import { fetchChanges, headKey, olderKey } from "./queries";

export function ChangesPage() {
  const search = useSearch({ from: "/changes" });
  const navigate = useNavigate({ from: "/changes" });
  const filter = useMemo<ChangeFilter>(
    () => ({
      ...(search.kind ? { kind: search.kind } : {}),
      ...(search.subject ? { subject: search.subject } : {}),
      ...(search.actor ? { actor: search.actor } : {}),
    }),
    [search.kind, search.subject, search.actor],
  );
  const list = useKeysetList({
    headKey: headKey(filter),
    olderKey: (cursor) => olderKey(filter, cursor),
    fetchPage: (cursor) => fetchChanges(filter, cursor),
    rowId,
  });
  const [reverting, setReverting] = useState<{ change?: Change; opened: boolean }>({
    opened: false,
  });

  const patch = (change: Partial<typeof search>, replace = false) =>
    void navigate({ search: (previous) => ({ ...previous, ...change }), replace });
  const open = (seq: number | undefined) =>
    patch({ seq }, search.seq !== undefined && seq !== undefined);
  const openIndex = list.rows.findIndex((row) => row.seq === search.seq);
  const step = (by: number) => {
    const next = list.rows[openIndex + by];
    if (openIndex >= 0 && next) open(next.seq);
  };
  const actions = useLatest({ step });
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "[", label: "Newer change", run: () => actions.current.step(-1) },
      { keys: "]", label: "Older change", run: () => actions.current.step(1) },
    ],
    [actions],
  );
  useShortcuts("Change history", shortcuts);

  const filtered = Object.keys(filter).length > 0;
  const chain = list.head?.chain;
  return (
    <Page
      id="changes"
      layout="fill"
      toolbar={
        <>
          <Select
            aria-label="Kind"
            placeholder="Every kind"
            data={KIND_OPTIONS}
            value={search.kind ?? null}
            onChange={(kind) => patch({ kind: kind ?? undefined })}
            allowDeselect
            clearable
            clearButtonProps={{ "aria-label": "Every kind" }}
            w={170}
            data-testid="changes-kind"
          />
          <SubjectFilter
            key={search.subject ?? ""}
            subject={search.subject}
            onChange={(subject) => patch({ subject })}
          />
          <span className={classes.space} />
          <ChainBadge report={chain} />
        </>
      }
    >
      {chain && !chain.intact ? (
        <div className={classes.broken} role="alert" data-testid="chain-broken">
          <StatusBadge tone="critical">The history was changed outside Signalbox</StatusBadge>
          <span>
            Entry no. {chain.first_bad ?? "?"} does not fit the one before it. What stands from
            there on may not be what happened. Compare it with an export or a backup.
          </span>
        </div>
      ) : null}
      <div className={classes.card}>
        <SheetHost
          sheet={
            search.seq === undefined ? null : (
              <ChangeSheet
                seq={search.seq}
                known={list.rows[openIndex]}
                onClose={() => open(undefined)}
                onRevert={(change) => setReverting({ change, opened: true })}
                onPrevious={openIndex > 0 ? () => step(-1) : undefined}
                onNext={
                  openIndex >= 0 && openIndex + 1 < list.rows.length ? () => step(1) : undefined
                }
              />
            )
          }
        >
          {list.isPending ? (
            <Skeleton label="the history" shape="rows" rows={12} />
          ) : list.error && list.rows.length === 0 ? (
            <ErrorState
              title="The history could not be read"
              error={list.error}
              onRetry={list.refetch}
            />
          ) : (
            <DataTable
              label="Changes"
              columns={CHANGE_COLUMNS}
              rows={list.rows}
              rowId={rowId}
              minWidth={CHANGES_MIN_WIDTH}
              rowTestId="change-row"
              openId={search.seq === undefined ? undefined : String(search.seq)}
              onOpen={(row) => open(row.seq)}
              {...(!filtered && chain ? { totalCount: chain.entries } : {})}
              onEndReached={list.fetchMore}
              footer={footer(list.rows.length, list.hasMore)}
              empty={<Empty filtered={filtered} onClear={() => void navigate({ search: {} })} />}
              pageKeys
              data-testid="changes-table"
            />
          )}
        </SheetHost>
      </div>
      <RevertDialog
        change={reverting.change}
        opened={reverting.opened}
        onClose={() => setReverting((held) => ({ ...held, opened: false }))}
      />
    </Page>
  );
}

type SubjectProps = {
  subject: string | undefined;
  onChange: (subject: string | undefined) => void;
};

/** The exact name of what was changed; applied on Enter, since half a name matches nothing. */
function SubjectFilter({ subject, onChange }: SubjectProps) {
  const [text, setText] = useState(subject ?? "");
  const apply = () => onChange(text.trim() === "" ? undefined : text.trim());
  return (
    <TextInput
      className={classes.filter}
      aria-label="Subject"
      placeholder="Subject, e.g. chat_message"
      leftSection={<IconSearch size={14} aria-hidden />}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={apply}
      onKeyDown={(event) => {
        if (event.key === "Enter") apply();
      }}
      data-testid="changes-subject"
    />
  );
}

function Empty({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (!filtered) {
    return (
      <EmptyState
        icon={IconHistory}
        title="Each change of the configuration will stand here"
        data-testid="changes-empty"
      />
    );
  }
  return (
    <EmptyState
      icon={IconFilterOff}
      title="No change matches this filter"
      action={
        <Button variant="default" onClick={onClear} data-testid="changes-clear">
          Show all changes
        </Button>
      }
      data-testid="changes-no-results"
    />
  );
}

function footer(count: number, hasMore: boolean): string | null {
  if (hasMore) return "Scroll for older changes";
  return count > 20 ? `${plural(count, "change")}, that is all` : null;
}

function rowId(change: Change): string {
  return String(change.seq);
}

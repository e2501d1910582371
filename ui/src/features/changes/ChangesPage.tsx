import { Button, TextInput } from "@mantine/core";
import {
  IconArrowUp,
  IconClockSearch,
  IconFilterOff,
  IconHistory,
  IconSearch,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";
import { useKeysetList } from "@/api/keyset";
import { keysQueryOptions, operationsQueryOptions, providersQueryOptions } from "@/api/queries";
import type { Change, ChangeFilter } from "@/bindings";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { Page } from "@/components/Page";
import { SheetHost } from "@/components/Sheet";
import { Skeleton } from "@/components/Skeletons";
import { notifyFailure, notifySuccess } from "@/lib/notices";
import { formatCount, plural } from "@/lib/numbers";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { pickRange } from "@/lib/timeRange";
import { useLatest } from "@/lib/useLatest";
import classes from "@/components/LiveList.module.css";
import { CHANGE_MIN_WIDTH, changeColumns } from "./columns";
import { ChainBroken, ChainStatus } from "./components/ChainStatus";
import { ChangeFilters } from "./components/ChangeFilters";
import { ChangeSheet } from "./components/ChangeSheet";
import own from "./ChangesPage.module.css";
import { ExportMenu } from "./components/ExportMenu";
import { StateAtDialog } from "./components/StateAtDialog";
import { StateAtView } from "./components/StateAtView";
import { distinct, isUnfiltered, newestReport, pickFilter } from "./model";
import {
  fetchChanges,
  headKey,
  newestChangesQueryOptions,
  olderKey,
  verifyChainQueryOptions,
} from "./queries";

export function ChangesPage() {
  const { at, thing } = useSearch({ from: "/changes" });
  const navigate = useNavigate({ from: "/changes" });
  if (at === undefined) return <History />;
  const patch = (change: { at?: string | undefined; thing?: string | undefined }) =>
    void navigate({ search: (previous) => ({ ...previous, ...change }) });
  return (
    <StateAtView
      at={at}
      thing={thing}
      onOpen={(next) => patch({ thing: next })}
      onBack={() => patch({ at: undefined, thing: undefined })}
    />
  );
}

function History() {
  const search = useSearch({ from: "/changes" });
  const navigate = useNavigate({ from: "/changes" });
  const { q } = search;
  const filter = useMemo(() => pickFilter(search), [search]);
  const where = { filter, range: pickRange(search) };
  const [exporting, setExporting] = useState(false);
  const [choosing, setChoosing] = useState(false);
  const words = useRef<HTMLInputElement>(null);
  // Held still while somebody reads further down: a new entry must not move what they read.
  const [atTop, setAtTop] = useState(true);
  const frame = useRef<HTMLDivElement>(null);
  const list = useKeysetList<Change, Awaited<ReturnType<typeof fetchChanges>>>({
    headKey: headKey(where),
    olderKey: (cursor) => olderKey(where, cursor),
    fetchPage: (cursor) => fetchChanges(where, cursor),
    rowId,
    live: atTop,
  });
  const { rows } = list;
  const choices = useChoices(rows);
  const chain = useChain();
  const broken = chain.report?.intact === false ? chain.report : undefined;
  const firstBad = broken?.first_bad ?? null;
  const columns = useMemo(() => changeColumns(firstBad), [firstBad]);

  const setFilter = (patch: Pick<ChangeFilter, "kind" | "subject" | "actor">) => {
    void navigate({ search: (previous) => ({ ...previous, ...withoutNull(patch) }) });
  };
  const setWords = (text: string) => {
    void navigate({
      search: (previous) => ({ ...previous, q: text === "" ? undefined : text }),
      replace: true,
    });
  };
  const showStateAt = (instant: string) => {
    setChoosing(false);
    void navigate({ search: (previous) => ({ ...previous, at: instant, seq: undefined }) });
  };
  const clear = () => {
    if (words.current) words.current.value = "";
    void navigate({ search: {} });
  };
  const open = (seq: number | undefined) => {
    void navigate({
      search: (previous) => ({ ...previous, seq }),
      replace: search.seq !== undefined && seq !== undefined,
    });
  };
  const openIndex = rows.findIndex((row) => row.seq === search.seq);
  const known = rows[openIndex];
  const step = (by: number) => {
    const next = rows[openIndex + by];
    if (openIndex >= 0 && next) open(next.seq);
  };
  const toTop = () => {
    grid(frame.current)?.scrollTo({ top: 0 });
    setAtTop(true);
  };

  const actions = useLatest({ step, verify: chain.verify, setExporting, words });
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "[", label: "Previous change", run: () => actions.current.step(-1) },
      { keys: "]", label: "Next change", run: () => actions.current.step(1) },
      { keys: "v", label: "Verify the chain", run: () => void actions.current.verify() },
      { keys: "e", label: "Export", run: () => actions.current.setExporting(true) },
      { keys: "/", label: "Search", run: () => actions.current.words.current?.focus() },
    ],
    [actions],
  );
  useShortcuts("Change history", shortcuts);

  const filtered = !isUnfiltered(where);
  const total = list.hasMore ? (filtered ? undefined : chain.report?.entries) : rows.length;
  return (
    <Page
      id="changes"
      layout="fill"
      toolbar={
        <ChainStatus
          report={chain.report}
          checking={chain.checking}
          onVerify={() => void chain.verify()}
        >
          <TextInput
            ref={words}
            className={own.search}
            aria-label="Search the history"
            placeholder="Sentence, reason or subject"
            leftSection={<IconSearch size={14} aria-hidden />}
            // Its own text while it is typed: the URL follows a moment later, and would take characters back.
            defaultValue={q ?? ""}
            onChange={(event) => setWords(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") event.currentTarget.blur();
            }}
            data-testid="changes-search"
          />
          <Button
            variant="default"
            h={32}
            leftSection={<IconClockSearch size={14} aria-hidden />}
            onClick={() => setChoosing(true)}
            data-testid="state-at-open"
          >
            State at a time
          </Button>
          <ExportMenu where={where} opened={exporting} onChange={setExporting} />
        </ChainStatus>
      }
    >
      <StateAtDialog opened={choosing} onClose={() => setChoosing(false)} onChoose={showStateAt} />
      <ChangeFilters filter={filter} {...choices} onChange={setFilter} />
      {broken ? <ChainBroken report={broken} onShow={open} /> : null}
      <div className={classes.card}>
        <SheetHost
          sheet={
            search.seq === undefined ? null : (
              <ChangeSheet
                seq={search.seq}
                known={known}
                onShowState={showStateAt}
                onClose={() => open(undefined)}
                onPrevious={openIndex > 0 ? () => step(-1) : undefined}
                onNext={openIndex >= 0 && openIndex + 1 < rows.length ? () => step(1) : undefined}
              />
            )
          }
        >
          <div
            className={classes.frame}
            ref={frame}
            onScrollCapture={() => setAtTop((grid(frame.current)?.scrollTop ?? 0) <= 0)}
          >
            {list.isPending ? (
              <Skeleton label="the history" shape="rows" rows={16} />
            ) : list.error && rows.length === 0 ? (
              <ErrorState
                title="The history could not be read"
                error={list.error}
                onRetry={list.refetch}
              />
            ) : (
              <DataTable
                label="Changes"
                columns={columns}
                rows={rows}
                rowId={rowId}
                minWidth={CHANGE_MIN_WIDTH}
                rowTestId="change-row"
                openId={search.seq === undefined ? undefined : String(search.seq)}
                onOpen={(row) => open(row.seq)}
                {...(total === undefined ? {} : { totalCount: total })}
                onEndReached={list.fetchMore}
                footer={footerWords(list, rows.length)}
                empty={<Empty filtered={filtered} onClear={clear} />}
                pageKeys
                data-testid="changes-table"
              />
            )}
            {list.newCount > 0 ? (
              <button
                type="button"
                className={classes.pill}
                onClick={toTop}
                data-testid="changes-new"
              >
                <IconArrowUp size={14} aria-hidden /> {formatCount(list.newCount)} new
              </button>
            ) : null}
            <span className="visually-hidden" role="status">
              {list.newCount > 0 ? `${plural(list.newCount, "new change")} above` : ""}
            </span>
          </div>
        </SheetHost>
      </div>
    </Page>
  );
}

/** The newest report on the chain, whichever answer brought it, and the way to ask for another. */
function useChain() {
  const newest = useQuery(newestChangesQueryOptions());
  const asked = useQuery(verifyChainQueryOptions());
  const verify = async () => {
    const { data, error } = await asked.refetch();
    if (error) notifyFailure("The chain was not verified", error.message);
    else if (data?.intact) {
      notifySuccess(
        "The chain is verified",
        `All ${plural(data.entries, "entry", "entries")} fit.`,
      );
    }
  };
  return {
    report: newestReport(newest.data?.chain, asked.data),
    checking: asked.isFetching,
    verify,
  };
}

/** What there is to filter by: things that exist now, and whatever else the newest changes name. */
function useChoices(rows: readonly Change[]) {
  const operations = useQuery(operationsQueryOptions()).data;
  const providers = useQuery(providersQueryOptions()).data;
  const keys = useQuery(keysQueryOptions()).data;
  const newest = useQuery(newestChangesQueryOptions()).data?.rows;
  return useMemo(() => {
    const seen = [...rows, ...(newest ?? [])];
    return {
      subjects: distinct(
        seen.map((row) => row.subject),
        (operations ?? []).map(({ id }) => id),
        (providers ?? []).map(({ name }) => name),
        (keys ?? []).map(({ name }) => name),
      ),
      actors: distinct(seen.map((row) => row.actor)),
    };
  }, [rows, newest, operations, providers, keys]);
}

function footerWords(
  list: { error: Error | null; hasMore: boolean; isFetchingMore: boolean },
  count: number,
): string | null {
  if (count === 0) return null;
  if (list.error) return `The older changes could not be read: ${list.error.message}`;
  if (list.hasMore)
    return list.isFetchingMore ? "Reading older changes…" : "Scroll for older changes";
  return count > 20 ? `${plural(count, "change")}, that is all` : null;
}

function Empty({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (filtered) {
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
      >
        Nothing is ever erased here; the filter leaves nothing over.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={IconHistory}
      title="Each change of routes, providers and keys will stand here"
      data-testid="changes-empty"
    >
      With who did it, what it was before, and a way back.
    </EmptyState>
  );
}

function withoutNull(filter: Pick<ChangeFilter, "kind" | "subject" | "actor">) {
  return Object.fromEntries(
    Object.entries(filter).map(([name, value]) => [name, value ?? undefined]),
  );
}

function rowId(change: Change): string {
  return String(change.seq);
}

function grid(frame: HTMLElement | null): HTMLElement | null | undefined {
  return frame?.querySelector<HTMLElement>('[role="grid"]');
}

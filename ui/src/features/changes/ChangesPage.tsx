import { Button, TextInput } from "@mantine/core";
import { IconClockSearch, IconFilterOff, IconHistory, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";
import { useKeysetList } from "@/api/keyset";
import { keysQueryOptions, operationsQueryOptions, providersQueryOptions } from "@/api/queries";
import type { Change, ChangeFilter } from "@/bindings";
import { EmptyState } from "@/components/EmptyState";
import { KeysetTable } from "@/components/KeysetTable";
import { NewRows } from "@/components/NewRows";
import { Page } from "@/components/Page";
import { SheetHost } from "@/components/Sheet";
import { notifyFailure, notifySuccess } from "@/lib/notices";
import { plural } from "@/lib/numbers";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { pickRange } from "@/lib/timeRange";
import { useAtTop } from "@/lib/useAtTop";
import { useLatest } from "@/lib/useLatest";
import classes from "@/components/LiveList.module.css";
import { CHANGE_MIN_WIDTH, changeColumns } from "./columns";
import { ChainBroken, ChainStatus } from "./components/ChainStatus";
import { ChangeFilters } from "./components/ChangeFilters";
import { ChangeSheet } from "./components/ChangeSheet";
import own from "./ChangesPage.module.css";
import { ExportChanges } from "./components/ExportChanges";
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
  const { frame, atTop, onScroll, toTop } = useAtTop();
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
          <ExportChanges where={where} opened={exporting} onChange={setExporting} />
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
          <div className={classes.frame} ref={frame} onScrollCapture={onScroll}>
            <KeysetTable
              list={list}
              noun="change"
              label="Changes"
              columns={columns}
              rowId={rowId}
              minWidth={CHANGE_MIN_WIDTH}
              rowTestId="change-row"
              openId={search.seq === undefined ? undefined : String(search.seq)}
              onOpen={(row) => open(row.seq)}
              {...(total === undefined ? {} : { totalCount: total })}
              empty={<Empty filtered={filtered} onClear={clear} />}
              data-testid="changes-table"
            />
            <NewRows count={list.newCount} noun="change" onShow={toTop} data-testid="changes-new" />
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

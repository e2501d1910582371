import { Button } from "@mantine/core";
import {
  IconFilterOff,
  IconListDetails,
  IconPlayerPause,
  IconPlayerPlay,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useRef, useState } from "react";
import { facetsQueryOptions, keysQueryOptions } from "@/api/queries";
import type { Facets, RequestRow } from "@/bindings";
import { EmptyState } from "@/components/EmptyState";
import { KeysetTable } from "@/components/KeysetTable";
import { NewRows } from "@/components/NewRows";
import { Page } from "@/components/Page";
import { SheetHost } from "@/components/Sheet";
import { notifyFailure, notifySuccess } from "@/lib/notices";
import { plural } from "@/lib/numbers";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { gridIn } from "@/lib/useAtTop";
import { useLatest } from "@/lib/useLatest";
import { pickRange } from "@/lib/timeRange";
import { platform } from "@/platform";
import { LOG_COLUMNS, LOG_MIN_WIDTH } from "./columns";
import { ExportRequests } from "./components/ExportRequests";
import { FacetBar } from "./components/FacetBar";
import { keyNames, QueryBar } from "./components/QueryBar";
import { RequestSheet } from "./components/RequestSheet";
import classes from "@/components/LiveList.module.css";
import { holdAt } from "./liveRows";
import { isUnfiltered, type LogFilter, pickFilter, type Vocabulary, withFilter } from "./query";
import { useLiveRequests } from "./useLiveRequests";

export function LogsPage() {
  const search = useSearch({ from: "/logs" });
  const navigate = useNavigate({ from: "/logs" });
  const filter = useMemo(() => pickFilter(search), [search]);
  const where = { filter, range: pickRange(search) };
  const list = useLiveRequests(where);
  const facets = useQuery(facetsQueryOptions());
  const keys = useQuery(keysQueryOptions());
  const vocabulary = useMemo(() => toVocabulary(facets.data, keys.data), [facets.data, keys.data]);

  // Held still at a row while somebody reads further down, or because they said so.
  const [anchor, setAnchor] = useState<string>();
  const [paused, setPaused] = useState(false);
  const { rows, waiting } = holdAt(list.rows, anchor);
  const [activeId, setActiveId] = useState<string>();
  const [exportOpened, setExportOpened] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const queryInput = useRef<HTMLInputElement>(null);

  const setFilter = (next: LogFilter) => {
    setAnchor(undefined);
    void navigate({ search: (previous) => withFilter(previous, next) });
  };
  const open = (id: string | undefined) => {
    void navigate({
      search: (previous) => ({ ...previous, request: id }),
      // Stepping through requests is one visit, not twenty.
      replace: search.request !== undefined && id !== undefined,
    });
  };
  const catchUp = () => {
    setAnchor(undefined);
    setPaused(false);
    gridIn(frame.current)?.scrollTo({ top: 0 });
  };
  const togglePause = () => {
    if (paused) {
      catchUp();
    } else {
      setPaused(true);
      setAnchor((held) => held ?? list.rows[0]?.id);
    }
  };
  const onScroll = () => {
    const top = gridIn(frame.current)?.scrollTop ?? 0;
    if (top > 0) setAnchor((held) => held ?? list.rows[0]?.id);
    else if (!paused) setAnchor(undefined);
  };
  const openIndex = rows.findIndex((row) => row.id === search.request);
  const step = (by: number) => {
    const next = rows[openIndex + by];
    if (openIndex >= 0 && next) open(next.id);
  };
  const copyId = () => {
    const id = search.request ?? activeId;
    if (id) void copyText(id);
  };

  const actions = useLatest({ step, copyId, togglePause, setExportOpened, queryInput });
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "/", label: "Filter", run: () => actions.current.queryInput.current?.focus() },
      { keys: "[", label: "Previous request", run: () => actions.current.step(-1) },
      { keys: "]", label: "Next request", run: () => actions.current.step(1) },
      { keys: "c", label: "Copy the request id", run: () => actions.current.copyId() },
      { keys: "e", label: "Export", run: () => actions.current.setExportOpened(true) },
      { keys: "l", label: "Live or paused", run: () => actions.current.togglePause() },
    ],
    [actions],
  );
  useShortcuts("Logs", shortcuts);

  const known = countOf(facets.data, filter, search.range !== undefined);
  const total = list.hasMore ? known : list.rows.length;
  const filtered = !isUnfiltered(filter) || search.range !== undefined;
  return (
    <Page
      id="logs"
      layout="fill"
      toolbar={
        <>
          <QueryBar
            filter={filter}
            vocabulary={vocabulary}
            onChange={setFilter}
            inputRef={queryInput}
          />
          <Button
            variant="default"
            h={32}
            w={104}
            leftSection={
              paused ? (
                <IconPlayerPlay size={14} aria-hidden />
              ) : (
                <IconPlayerPause size={14} aria-hidden />
              )
            }
            aria-pressed={paused}
            title={paused ? "New requests wait (L)" : "New requests appear as they come (L)"}
            onClick={togglePause}
            data-testid="logs-live"
          >
            {paused ? "Resume" : "Pause"}
          </Button>
          <ExportRequests
            where={where}
            rows={exportWords(list.hasMore, total, filtered)}
            opened={exportOpened}
            onChange={setExportOpened}
          />
        </>
      }
    >
      <FacetBar
        facets={facets.data}
        filter={filter}
        onChange={(patch) => setFilter({ ...filter, ...patch })}
      />
      <div className={classes.card}>
        <SheetHost
          sheet={
            search.request === undefined ? null : (
              <RequestSheet
                id={search.request}
                known={rows[openIndex]}
                onClose={() => open(undefined)}
                onPrevious={openIndex > 0 ? () => step(-1) : undefined}
                onNext={openIndex >= 0 && openIndex + 1 < rows.length ? () => step(1) : undefined}
              />
            )
          }
        >
          <div className={classes.frame} ref={frame} onScrollCapture={onScroll}>
            <KeysetTable
              list={{ ...list, rows }}
              noun="request"
              label="Requests"
              columns={LOG_COLUMNS}
              rowId={rowId}
              minWidth={LOG_MIN_WIDTH}
              rowTestId="log-row"
              openId={search.request}
              onOpen={(row) => open(row.id)}
              onActiveChange={(row) => setActiveId(row.id)}
              {...(total === undefined ? {} : { totalCount: total })}
              empty={<Empty filtered={filtered} onClear={() => clear()} />}
              data-testid="logs-table"
            />
            <NewRows count={waiting} noun="request" onShow={catchUp} data-testid="logs-new" />
          </div>
        </SheetHost>
      </div>
    </Page>
  );

  function clear() {
    void navigate({ search: { request: search.request } });
  }
}

function Empty({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  if (filtered) {
    return (
      <EmptyState
        icon={IconFilterOff}
        title="No request matches this filter"
        action={
          <Button variant="default" onClick={onClear} data-testid="logs-clear">
            Show all requests
          </Button>
        }
        data-testid="logs-no-results"
      >
        Nothing was deleted; the filter or the time range leaves nothing over.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={IconListDetails}
      title="Each request of your programs will stand here"
      action={
        <Button
          renderRoot={(props) => <Link {...props} to="/first-run" search={{ step: "send" }} />}
        >
          Send the first request
        </Button>
      }
      data-testid="logs-empty"
    >
      With its model, its attempts, and every line of its cost.
    </EmptyState>
  );
}

function toVocabulary(
  facets: Facets | undefined,
  keys: readonly { id: string; name: string }[] | undefined,
): Vocabulary {
  return {
    operations: facets?.operations ?? [],
    providers: facets?.providers ?? [],
    models: facets?.models ?? [],
    statuses: facets?.statuses ?? [],
    keys: keyNames(keys),
  };
}

/** How many rows there are, where the counts of the facets can tell: no filter, or exactly one facet. */
function countOf(
  facets: Facets | undefined,
  filter: LogFilter,
  ranged: boolean,
): number | undefined {
  if (!facets || ranged) return undefined;
  const set = Object.entries(filter);
  if (set.length === 0) return facets.statuses.reduce((sum, facet) => sum + facet.count, 0);
  const [only] = set;
  if (set.length > 1 || !only) return undefined;
  const [field, value] = only;
  const lists: Record<string, Facets["statuses"]> = {
    status: facets.statuses,
    operation: facets.operations,
    provider: facets.providers,
    model: facets.models,
  };
  return lists[field]?.find((facet) => facet.value === value)?.count;
}

function exportWords(hasMore: boolean, total: number | undefined, filtered: boolean): string {
  if (total !== undefined) return `${plural(total, "request")}${filtered ? " (as filtered)" : ""}`;
  return hasMore
    ? "every request that matches the filter, also those not loaded here"
    : "the requests shown";
}

async function copyText(id: string): Promise<void> {
  try {
    await platform().copyText(id);
    notifySuccess("Request id copied", id);
  } catch (error) {
    notifyFailure("The id was not copied", error instanceof Error ? error.message : String(error));
  }
}

function rowId(row: RequestRow): string {
  return row.id;
}

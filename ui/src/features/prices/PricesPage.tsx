import { Button, Chip, Select, TextInput } from "@mantine/core";
import { IconCoin, IconFileImport, IconFilterOff, IconSearch } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { providersQueryOptions } from "@/api/queries";
import type { PriceRow } from "@/bindings";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import live from "@/components/LiveList.module.css";
import { Page } from "@/components/Page";
import { SheetHost } from "@/components/Sheet";
import { Skeleton } from "@/components/Skeletons";
import { formatCount, plural } from "@/lib/numbers";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import { PRICE_COLUMNS, PRICES_MIN_WIDTH } from "./columns";
import { BlockedBanner } from "./components/BlockedBanner";
import { ImportView } from "./components/ImportView";
import { PriceSheet } from "./components/PriceSheet";
import { UnpricedBanner } from "./components/UnpricedBanner";
import { CAPABILITIES, isUnfiltered, ORIGIN_CHOICES, pickFilter } from "./model";
import classes from "./prices.module.css";
import { pricesQueryOptions } from "./queries";
import type { PricesSearch } from "./search";

export function PricesPage() {
  const search = useSearch({ from: "/prices" });
  return search.import ? <ImportView /> : <PriceList />;
}

function PriceList() {
  const search = useSearch({ from: "/prices" });
  const navigate = useNavigate({ from: "/prices" });
  const filter = useMemo(() => pickFilter(search), [search]);
  const list = useInfiniteQuery(pricesQueryOptions(filter));
  const rows = useMemo(() => (list.data?.pages ?? []).flatMap((page) => page.rows), [list.data]);
  const head = list.data?.pages[0];
  const field = useRef<HTMLInputElement>(null);

  const set = (patch: Partial<PricesSearch>) =>
    void navigate({ search: (previous) => ({ ...previous, ...patch }), replace: true });
  const open = (target: string | undefined, edit?: boolean) =>
    void navigate({
      search: (previous) => ({
        ...previous,
        price: target,
        edit: edit === true ? true : undefined,
      }),
      replace: search.price !== undefined && target !== undefined,
    });
  const startImport = () => void navigate({ search: { import: true } });
  const openIndex = rows.findIndex((row) => row.target === search.price);
  const step = (by: number) => {
    const next = rows[openIndex + by];
    if (openIndex >= 0 && next) open(next.target);
  };

  const actions = useLatest({ step, startImport });
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "/", label: "Search", run: () => field.current?.focus() },
      { keys: "i", label: "Import a price list", run: () => actions.current.startImport() },
      { keys: "[", label: "Previous model", run: () => actions.current.step(-1) },
      { keys: "]", label: "Next model", run: () => actions.current.step(1) },
    ],
    [actions],
  );
  useShortcuts("Prices", shortcuts);

  return (
    <Page
      id="prices"
      layout="fill"
      toolbar={
        <>
          <TextInput
            ref={field}
            className={classes.search}
            value={search.q ?? ""}
            onChange={(event) => set({ q: event.currentTarget.value || undefined })}
            onKeyDown={(event) => {
              if (event.key === "Escape") set({ q: undefined });
            }}
            placeholder="Search models"
            aria-label="Search models"
            leftSection={<IconSearch size={14} aria-hidden />}
            data-testid="prices-search"
          />
          <Filters search={search} onChange={set} />
          <span className={classes.grow} />
          <span className={classes.count} role="status">
            {head ? plural(head.total, "model") : ""}
          </span>
          <Button
            variant="default"
            h={32}
            leftSection={<IconFileImport size={14} aria-hidden />}
            onClick={startImport}
            title="Import a price list (I)"
            data-testid="prices-import"
          >
            Import
          </Button>
        </>
      }
    >
      {head && head.blocked.length > 0 ? (
        <BlockedBanner targets={head.blocked} onOpen={open} />
      ) : null}
      {head && head.unpriced > 0 ? (
        <UnpricedBanner
          count={head.unpriced}
          onPrice={(target) => open(target, true)}
          onShowAll={() => set({ unpriced: true })}
          filtered={search.unpriced === true}
        />
      ) : null}
      <div className={live.card}>
        <SheetHost
          sheet={
            search.price === undefined ? null : (
              <PriceSheet
                key={search.price}
                target={search.price}
                editing={search.edit === true}
                onEdit={(edit) => open(search.price, edit)}
                onClose={() => open(undefined)}
                onPrevious={openIndex > 0 ? () => step(-1) : undefined}
                onNext={openIndex >= 0 && openIndex + 1 < rows.length ? () => step(1) : undefined}
              />
            )
          }
        >
          <div className={live.frame}>
            {list.isPending ? (
              <Skeleton label="the prices" shape="rows" rows={16} />
            ) : list.error && rows.length === 0 ? (
              <ErrorState
                title="The prices could not be read"
                error={list.error}
                onRetry={() => void list.refetch()}
              />
            ) : (
              <DataTable
                label="Prices"
                columns={PRICE_COLUMNS}
                rows={rows}
                rowId={rowId}
                minWidth={PRICES_MIN_WIDTH}
                rowTestId="price-row"
                openId={search.price}
                onOpen={(row) => open(row.target)}
                {...(head ? { totalCount: head.total } : {})}
                onEndReached={() => {
                  if (list.hasNextPage && !list.isFetchingNextPage) void list.fetchNextPage();
                }}
                footer={footer(rows.length, list.hasNextPage)}
                empty={
                  <Empty
                    filtered={!isUnfiltered(filter)}
                    onClear={() => void navigate({ search: {} })}
                    onImport={startImport}
                  />
                }
                pageKeys
                data-testid="prices-table"
              />
            )}
          </div>
        </SheetHost>
      </div>
    </Page>
  );
}

type FiltersProps = { search: PricesSearch; onChange: (patch: Partial<PricesSearch>) => void };

function Filters({ search, onChange }: FiltersProps) {
  const providers = useQuery(providersQueryOptions()).data ?? [];
  return (
    <>
      <Select
        className={classes.filter}
        aria-label="Provider"
        placeholder="Any provider"
        data={providers.map(({ name }) => name)}
        value={search.provider ?? null}
        onChange={(value) => onChange({ provider: value ?? undefined })}
        clearable
        searchable
        data-testid="prices-provider"
      />
      <Select
        className={classes.filter}
        aria-label="Capability"
        placeholder="Any capability"
        data={[...CAPABILITIES]}
        value={search.capability ?? null}
        onChange={(value) => onChange({ capability: value ?? undefined })}
        clearable
        data-testid="prices-capability"
      />
      <Select
        className={classes.filter}
        aria-label="Whose price"
        placeholder="From anywhere"
        data={[...ORIGIN_CHOICES]}
        value={search.origin ?? null}
        onChange={(value) =>
          onChange({ origin: ORIGIN_CHOICES.find((choice) => choice.value === value)?.value })
        }
        clearable
        data-testid="prices-origin"
      />
      <Chip
        size="xs"
        variant="outline"
        checked={search.unpriced === true}
        onChange={(on) => onChange({ unpriced: on ? true : undefined })}
        data-testid="prices-unpriced-only"
      >
        Unpriced only
      </Chip>
    </>
  );
}

type EmptyProps = { filtered: boolean; onClear: () => void; onImport: () => void };

function Empty({ filtered, onClear, onImport }: EmptyProps) {
  return filtered ? (
    <EmptyState
      icon={IconFilterOff}
      title="No model matches this filter"
      action={
        <Button variant="default" onClick={onClear} data-testid="prices-clear">
          Show all models
        </Button>
      }
      data-testid="prices-no-results"
    >
      It looks at provider and model names.
    </EmptyState>
  ) : (
    <EmptyState
      icon={IconCoin}
      title="What each model costs will stand here"
      action={<Button onClick={onImport}>Import a price list</Button>}
      data-testid="prices-empty"
    >
      Models come with their provider; prices from the catalogue, a list, or by hand.
    </EmptyState>
  );
}

function footer(count: number, hasMore: boolean): string | null {
  if (count === 0) return null;
  if (hasMore) return "Reading more models…";
  return count > 20 ? `${formatCount(count)} models, that is all` : null;
}

function rowId(row: PriceRow): string {
  return row.target;
}

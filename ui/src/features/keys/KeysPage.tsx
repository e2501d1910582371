import { Button, TextInput, UnstyledButton } from "@mantine/core";
import { IconFilterOff, IconKey, IconPlus, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useMemo, useRef, useState } from "react";
import {
  budgetsQueryOptions,
  keysQueryOptions,
  operationsQueryOptions,
  statusQueryOptions,
} from "@/api/queries";
import type { ApiKey } from "@/bindings";
import { CopyButton } from "@/components/CopyButton";
import { DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { Page } from "@/components/Page";
import { SheetHost } from "@/components/Sheet";
import { Skeleton } from "@/components/Skeletons";
import { formatCount } from "@/lib/numbers";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import { KEY_MIN_WIDTH, keyColumns } from "./columns";
import { CreateKeyDialog } from "./components/CreateKeyDialog";
import { KeySheet } from "./components/KeySheet";
import { RevokeDialog } from "./components/RevokeDialog";
import { RotateDialog } from "./components/RotateDialog";
import { Snippets } from "@/components/Snippets";
import classes from "./KeysPage.module.css";
import { filterKeys, ownBudgets, snippetOperations } from "./model";
import type { KeysSearch } from "./search";

export function KeysPage() {
  const search = useSearch({ from: "/keys" });
  const navigate = useNavigate({ from: "/keys" });
  const keys = useQuery(keysQueryOptions());
  const operations = useQuery(operationsQueryOptions()).data ?? NONE;
  const baseUrl = useQuery(statusQueryOptions()).data?.base_url;
  const [revoking, setRevoking] = useState<{ key?: ApiKey; opened: boolean }>({ opened: false });
  const filterInput = useRef<HTMLInputElement>(null);

  const all = keys.data ?? NONE;
  const rows = useMemo(
    () => filterKeys(all, search.state, search.q),
    [all, search.state, search.q],
  );
  const patch = (change: Partial<KeysSearch>, replace = false) =>
    void navigate({ search: (previous) => ({ ...previous, ...change }), replace });
  const open = (id: string | undefined) =>
    patch({ key: id }, search.key !== undefined && id !== undefined);
  const openIndex = rows.findIndex((row) => row.id === search.key);
  const opened = all.find((row) => row.id === search.key);
  const step = (by: number) => {
    const next = rows[openIndex + by];
    if (openIndex >= 0 && next) open(next.id);
  };
  const revoke = (key: ApiKey) => setRevoking({ key, opened: true });

  const budgets = useQuery(budgetsQueryOptions()).data?.budgets;
  const columns = useMemo(() => keyColumns({ budgets: ownBudgets(budgets ?? NONE) }), [budgets]);
  const actions = useLatest({ patch, step });
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "n", label: "Create a key", run: () => actions.current.patch({ create: true }) },
      { keys: "/", label: "Filter", run: () => filterInput.current?.focus() },
      { keys: "[", label: "Previous key", run: () => actions.current.step(-1) },
      { keys: "]", label: "Next key", run: () => actions.current.step(1) },
    ],
    [actions],
  );
  useShortcuts("API keys", shortcuts);

  const create = (
    <Button
      h={32}
      leftSection={<IconPlus size={14} aria-hidden />}
      title="Create a key (N)"
      onClick={() => patch({ create: true })}
      data-testid="key-create"
    >
      Create key
    </Button>
  );
  return (
    <Page
      id="keys"
      layout="fill"
      toolbar={
        all.length === 0 ? null : (
          <>
            <TextInput
              ref={filterInput}
              className={classes.filter}
              aria-label="Filter keys"
              placeholder="Filter by name, owner, scope or last 4"
              leftSection={<IconSearch size={14} aria-hidden />}
              // Its own text while it is typed: the URL follows a moment later, and would take characters back.
              defaultValue={search.q ?? ""}
              onChange={(event) => patch({ q: event.currentTarget.value || undefined }, true)}
              onKeyDown={(event) => {
                if (event.key === "Escape") event.currentTarget.blur();
              }}
              data-testid="key-filter"
            />
            <StateChips keys={all} value={search.state} onChange={(state) => patch({ state })} />
            <span className={classes.space} />
            {create}
          </>
        )
      }
    >
      <div className={classes.card}>
        <SheetHost
          sheet={
            opened === undefined ? null : (
              <KeySheet
                apiKey={opened}
                baseUrl={baseUrl}
                operations={operations}
                onClose={() => open(undefined)}
                onRotate={() => patch({ rotate: true })}
                onRevoke={() => revoke(opened)}
                onPrevious={openIndex > 0 ? () => step(-1) : undefined}
                onNext={openIndex >= 0 && openIndex + 1 < rows.length ? () => step(1) : undefined}
              />
            )
          }
        >
          <List
            query={keys}
            empty={
              <EmptyState
                icon={IconKey}
                title="A program needs a key to talk to Signalbox"
                action={create}
                data-testid="keys-empty"
              >
                Create one per program or machine: then its requests carry its name in the logs, and
                it can be shut out alone.
              </EmptyState>
            }
          >
            <div className={classes.table}>
              <DataTable
                label="API keys"
                columns={columns}
                rows={rows}
                rowId={rowId}
                minWidth={KEY_MIN_WIDTH}
                rowTestId="key-row"
                openId={search.key}
                onOpen={(row) => open(row.id)}
                isDimmed={isOver}
                empty={
                  <EmptyState
                    icon={IconFilterOff}
                    title="No key matches this filter"
                    action={
                      <Button
                        variant="default"
                        onClick={() => {
                          if (filterInput.current) filterInput.current.value = "";
                          patch({ q: undefined, state: undefined });
                        }}
                        data-testid="keys-clear"
                      >
                        Show all keys
                      </Button>
                    }
                    data-testid="keys-no-results"
                  />
                }
                pageKeys
                data-testid="keys-table"
              />
            </div>
            {opened === undefined && baseUrl !== undefined && all.length <= EXPLAINED_UP_TO ? (
              <section className={classes.use} aria-label="Use a key">
                <header>
                  <h2>Use a key</h2>
                  <span className={classes.base}>
                    <span className="muted">Base URL</span>
                    <code>{baseUrl}</code>
                    <CopyButton text={baseUrl} what="base URL" data-testid="keys-copy-base-url" />
                  </span>
                </header>
                <Snippets baseUrl={baseUrl} operations={snippetOperations(operations, [])} />
              </section>
            ) : null}
          </List>
        </SheetHost>
      </div>
      <CreateKeyDialog
        opened={search.create === true}
        onClose={() => patch({ create: undefined }, true)}
      />
      <RotateDialog
        apiKey={opened}
        opened={search.rotate === true}
        onClose={() => patch({ rotate: undefined }, true)}
      />
      <RevokeDialog
        apiKey={revoking.key}
        opened={revoking.opened}
        onClose={() => setRevoking((held) => ({ ...held, opened: false }))}
      />
    </Page>
  );
}

const NONE: never[] = [];
/** Who has more keys than this knows how to use one, and wants to see them; each key's detail still says it. */
const EXPLAINED_UP_TO = 20;

type ListProps = {
  query: {
    data: readonly ApiKey[] | undefined;
    error: Error | null;
    isPending: boolean;
    refetch: () => Promise<unknown>;
  };
  empty: ReactNode;
  children: ReactNode;
};

/** The keys, or what stands in their place. */
function List({ query, empty, children }: ListProps) {
  if (query.isPending) {
    return (
      <div className={classes.waiting}>
        <Skeleton label="the keys" shape="rows" rows={8} />
      </div>
    );
  }
  if (query.error && query.data === undefined) {
    return (
      <ErrorState
        title="The keys could not be read"
        error={query.error}
        onRetry={() => void query.refetch()}
      />
    );
  }
  if (query.data?.length === 0) return empty;
  return <div className={classes.frame}>{children}</div>;
}

type ChipProps = {
  keys: readonly ApiKey[];
  value: ApiKey["state"] | undefined;
  onChange: (state: ApiKey["state"] | undefined) => void;
};

const STATES: readonly { state: ApiKey["state"]; word: string }[] = [
  { state: "active", word: "Active" },
  { state: "expired", word: "Expired" },
  { state: "revoked", word: "Revoked" },
];

function StateChips({ keys, value, onChange }: ChipProps) {
  return (
    <div className={classes.chips} role="group" aria-label="State">
      {STATES.map(({ state, word }) => (
        <UnstyledButton
          key={state}
          className={classes.chip}
          data-active={value === state}
          aria-pressed={value === state}
          onClick={() => onChange(value === state ? undefined : state)}
          data-testid={`keys-${state}`}
        >
          {word}
          <span className="muted tabular">
            {formatCount(keys.filter((key) => key.state === state).length)}
          </span>
        </UnstyledButton>
      ))}
    </div>
  );
}

function rowId(key: ApiKey): string {
  return key.id;
}

function isOver(key: ApiKey): boolean {
  return key.state !== "active";
}

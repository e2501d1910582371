import { Button, SegmentedControl, TextInput } from "@mantine/core";
import {
  IconFilterOff,
  IconFlame,
  IconInfoCircle,
  IconPlugConnected,
  IconPlus,
  IconSearch,
} from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { providerHealthQueryOptions, providersQueryOptions } from "@/api/queries";
import type { Provider, ProviderHealth } from "@/bindings";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { Page } from "@/components/Page";
import { SheetHost } from "@/components/Sheet";
import { Skeleton } from "@/components/Skeletons";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import { AddProviderDialog } from "./components/AddProviderDialog";
import { FailoversView } from "./components/FailoversView";
import { ProviderCard } from "./components/ProviderCard";
import { ProviderSheet } from "./components/ProviderSheet";
import { TargetSheet } from "./components/TargetSheet";
import { isTrouble } from "./health";
import { groupProviders, matchesQuery, providerState, sortProviders } from "./model";
import classes from "./ProvidersPage.module.css";

export function ProvidersPage() {
  const search = useSearch({ from: "/providers" });
  const navigate = useNavigate({ from: "/providers" });
  const query = useQuery(providersQueryOptions());
  const all = query.data;
  const healthQuery = useQuery(providerHealthQueryOptions());
  const health = useMemo(
    () => new Map((healthQuery.data ?? []).map((found) => [found.provider, found])),
    [healthQuery.data],
  );
  const shown = useMemo(
    () => sortProviders(all ?? []).filter((provider) => matchesQuery(provider, search.q ?? "")),
    [all, search.q],
  );
  const frame = useRef<HTMLDivElement>(null);
  const filter = useRef<HTMLInputElement>(null);

  const setFilter = (q: string) =>
    void navigate({
      search: (previous) => ({ ...previous, q: q === "" ? undefined : q }),
      replace: true,
    });
  const open = (name: string | undefined, model?: string) =>
    void navigate({
      search: (previous) => ({ ...previous, provider: name, model }),
      // Stepping through providers is one visit, not twenty.
      replace: search.provider !== undefined && name !== undefined,
    });
  const openAdd = () =>
    void navigate({
      search: (previous) => ({ ...previous, provider: undefined, model: undefined, add: true }),
    });
  const closeAdd = (added: string | undefined) =>
    void navigate({
      search: ({ q }) => ({
        ...(q === undefined || added !== undefined ? {} : { q }),
        ...(added === undefined ? {} : { provider: added }),
      }),
    });
  const openIndex = shown.findIndex((provider) => provider.name === search.provider);
  const targets = health.get(search.provider ?? "")?.targets ?? [];
  const targetIndex = targets.findIndex((target) => target.model === search.model);
  /** To the next target while one is open, else to the next provider. */
  const step = (by: number) => {
    if (targetIndex >= 0) {
      const target = targets[targetIndex + by];
      if (target) open(target.provider, target.model);
      return;
    }
    const next = shown[openIndex + by];
    if (openIndex >= 0 && next) open(next.name);
  };
  /** Moves the keyboard along the cards; with a detail open, the detail goes along. */
  const walk = (by: number) => {
    const focused = document.activeElement?.closest<HTMLElement>("[data-provider]");
    const name = focused?.dataset["provider"] ?? search.provider;
    const index = shown.findIndex((provider) => provider.name === name);
    const next = shown[index < 0 ? 0 : Math.min(Math.max(index + by, 0), shown.length - 1)];
    if (!next) return;
    cardButton(frame.current, next.name)?.focus();
    if (search.provider !== undefined) open(next.name);
  };
  const close = () => {
    const name = search.provider;
    open(undefined);
    if (name !== undefined) cardButton(frame.current, name)?.focus();
  };

  const actions = useLatest({ step, walk, openAdd, filter });
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "a", label: "Add a provider", run: () => actions.current.openAdd() },
      { keys: "/", label: "Filter", run: () => actions.current.filter.current?.focus() },
      { keys: "j", label: "Next provider", run: () => actions.current.walk(1) },
      { keys: "k", label: "Previous provider", run: () => actions.current.walk(-1) },
      { keys: "[", label: "Previous detail", run: () => actions.current.step(-1) },
      { keys: "]", label: "Next detail", run: () => actions.current.step(1) },
    ],
    [actions],
  );
  useShortcuts("Providers", shortcuts);

  const opened = all?.find((provider) => provider.name === search.provider);
  const target = targets[targetIndex];
  const failovers = search.view === "failovers";
  return (
    <Page
      id="providers"
      layout="fill"
      toolbar={
        <>
          <SegmentedControl
            data={[
              { value: "providers", label: "Providers" },
              { value: "failovers", label: "Failovers" },
            ]}
            value={failovers ? "failovers" : "providers"}
            onChange={(value) =>
              void navigate({ search: value === "failovers" ? { view: "failovers" } : {} })
            }
            aria-label="What is shown"
            data-testid="providers-view"
          />
          {failovers ? null : (
            <TextInput
              ref={filter}
              className={classes.filter}
              value={search.q ?? ""}
              onChange={(event) => setFilter(event.currentTarget.value)}
              onKeyDown={(event) => {
                if (event.key === "Escape") setFilter("");
              }}
              placeholder="Filter by name, address or model"
              aria-label="Filter providers"
              leftSection={<IconSearch size={14} aria-hidden />}
              data-testid="providers-filter"
            />
          )}
          <span className={classes.summary}>
            {all && !failovers ? summary(all, healthQuery.data ?? []) : null}
          </span>
          <Button
            component={Link}
            to="/drills"
            variant="default"
            h={32}
            leftSection={<IconFlame size={14} aria-hidden />}
            data-testid="drills-open"
          >
            Drill
          </Button>
          <Button
            h={32}
            leftSection={<IconPlus size={14} aria-hidden />}
            onClick={openAdd}
            title="Add a provider (A)"
            data-testid="provider-add"
          >
            Add provider
          </Button>
        </>
      }
    >
      {failovers ? (
        <FailoversView />
      ) : (
        <div className={classes.frame}>
          <SheetHost
            sheet={
              opened && target ? (
                <TargetSheet
                  key={`${target.provider}/${target.model}`}
                  provider={opened}
                  target={target}
                  onBack={() => open(opened.name)}
                  onClose={close}
                  onPrevious={targetIndex > 0 ? () => step(-1) : undefined}
                  onNext={targetIndex + 1 < targets.length ? () => step(1) : undefined}
                />
              ) : opened ? (
                <ProviderSheet
                  key={opened.name}
                  provider={opened}
                  health={health.get(opened.name)}
                  onOpenTarget={(model) => open(opened.name, model)}
                  onClose={close}
                  onPrevious={openIndex > 0 ? () => step(-1) : undefined}
                  onNext={
                    openIndex >= 0 && openIndex + 1 < shown.length ? () => step(1) : undefined
                  }
                />
              ) : null
            }
          >
            <div className={classes.list} ref={frame}>
              {query.isPending ? (
                <Skeleton label="the providers" shape="figures" />
              ) : all ? (
                <>
                  {healthQuery.error ? (
                    <ErrorState
                      title="The providers' health could not be read"
                      error={healthQuery.error}
                      onRetry={() => void healthQuery.refetch()}
                      compact
                    />
                  ) : null}
                  <Groups
                    all={all}
                    shown={shown}
                    health={health}
                    openName={search.provider}
                    openModel={search.model}
                    onOpen={open}
                    onAdd={openAdd}
                    onClear={() => setFilter("")}
                  />
                </>
              ) : (
                <ErrorState
                  title="The providers could not be read"
                  error={query.error}
                  onRetry={() => void query.refetch()}
                />
              )}
            </div>
          </SheetHost>
        </div>
      )}
      <AddProviderDialog opened={search.add === true} providers={all ?? []} onClose={closeAdd} />
    </Page>
  );
}

type GroupsProps = {
  all: readonly Provider[];
  shown: readonly Provider[];
  health: ReadonlyMap<string, ProviderHealth>;
  openName: string | undefined;
  openModel: string | undefined;
  onOpen: (name: string, model?: string) => void;
  onAdd: () => void;
  onClear: () => void;
};

function Groups(props: GroupsProps) {
  const { all, shown, health, openName, openModel, onOpen, onAdd, onClear } = props;
  if (all.length === 0) {
    return (
      <EmptyState
        icon={IconPlugConnected}
        title="The providers you connect will stand here"
        action={<Button onClick={onAdd}>Add a provider</Button>}
        data-testid="providers-empty"
      >
        With their models, prices and what they cost in the last 24 hours.
      </EmptyState>
    );
  }
  if (shown.length === 0) {
    return (
      <EmptyState
        icon={IconFilterOff}
        title="No provider matches this filter"
        action={
          <Button variant="default" onClick={onClear} data-testid="providers-clear">
            Show all providers
          </Button>
        }
        data-testid="providers-no-results"
      >
        It looks at names, kinds, addresses and models.
      </EmptyState>
    );
  }
  return (
    <>
      {all.some(isConnected) ? null : <FirstUse onAdd={onAdd} />}
      {groupProviders(shown).map((group) => (
        <section key={group.title} className={classes.group} aria-label={group.title}>
          <h2>
            {group.title}
            <span>{group.providers.length}</span>
          </h2>
          <ul className={classes.cards} data-wide={group.connected}>
            {group.providers.map((provider) => (
              <ProviderCard
                key={provider.name}
                provider={provider}
                health={health.get(provider.name)}
                figures={group.connected}
                open={provider.name === openName}
                openModel={openModel}
                onOpen={() => onOpen(provider.name)}
                onOpenTarget={(model) => onOpen(provider.name, model)}
              />
            ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function FirstUse({ onAdd }: { onAdd: () => void }) {
  return (
    <div className={classes.first} data-testid="providers-first-use">
      <IconInfoCircle size={20} aria-hidden />
      <p>
        No provider is connected yet, so the simulator answers every request at no cost. Give one of
        these its key, or add another.
      </p>
      <Button variant="default" onClick={onAdd}>
        Connect a provider
      </Button>
    </div>
  );
}

function isConnected(provider: Provider): boolean {
  const state = providerState(provider);
  return !provider.builtin && (state === "ready" || state === "failed_check");
}

function summary(all: readonly Provider[], health: readonly ProviderHealth[]): string {
  const ready = all.filter((provider) => providerState(provider) === "ready").length;
  const troubled = health.filter(({ state }) => isTrouble(state)).length;
  return `${ready} of ${all.length} ready${troubled > 0 ? `, ${troubled} in trouble` : ""}`;
}

function cardButton(frame: HTMLElement | null, name: string): HTMLElement | null | undefined {
  return frame?.querySelector<HTMLElement>(`[data-provider="${CSS.escape(name)}"] [data-card]`);
}

import { Button, TextInput } from "@mantine/core";
import { IconFilterOff, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import type { Setting } from "@/bindings";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { Page } from "@/components/Page";
import { Panel } from "@/components/Panel";
import { Skeleton } from "@/components/Skeletons";
import { plural } from "@/lib/numbers";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { DesktopPanel } from "./components/DesktopPanel";
import { PeoplePanel } from "./components/PeoplePanel";
import { SettingRow } from "./components/SettingRow";
import { grouped } from "./model";
import { settingsQueryOptions } from "./queries";
import classes from "./SettingsPage.module.css";

export function SettingsPage() {
  const { q, setting: linked } = useSearch({ from: "/settings" });
  const navigate = useNavigate({ from: "/settings" });
  const settings = useQuery(settingsQueryOptions());
  const field = useRef<HTMLInputElement>(null);
  const shown = useMemo(() => grouped(settings.data ?? NONE, q), [settings.data, q]);
  const count = shown.reduce((sum, { settings }) => sum + settings.length, 0);

  const search = (text: string) =>
    void navigate({ search: text === "" ? {} : { q: text }, replace: true });
  const clear = () => {
    if (field.current) field.current.value = "";
    search("");
    field.current?.focus();
  };
  const shortcuts = useMemo<Shortcut[]>(
    () => [{ keys: "/", label: "Search settings", run: () => field.current?.focus() }],
    [],
  );
  useShortcuts("Settings", shortcuts);

  return (
    <Page
      id="settings"
      toolbar={
        <>
          <TextInput
            ref={field}
            className={classes.search}
            aria-label="Search settings"
            placeholder="Search settings"
            leftSection={<IconSearch size={14} aria-hidden />}
            // Its own text while it is typed: the URL follows a moment later, and would take characters back.
            defaultValue={q ?? ""}
            onChange={(event) => search(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === "Escape") clear();
            }}
            data-testid="settings-search"
          />
          <span className={classes.grow} />
          <span className={classes.count} role="status">
            {settings.data ? plural(count, "setting") : ""}
          </span>
        </>
      }
    >
      {settings.isPending ? (
        <Skeleton label="the settings" shape="rows" rows={16} />
      ) : settings.data === undefined ? (
        <ErrorState
          title="The settings could not be read"
          error={settings.error}
          onRetry={() => void settings.refetch()}
        />
      ) : count === 0 ? (
        <EmptyState
          icon={IconFilterOff}
          title="No setting matches"
          action={
            <Button variant="default" onClick={clear} data-testid="settings-clear">
              Show all settings
            </Button>
          }
          data-testid="settings-no-results"
        >
          Labels, names and descriptions are searched.
        </EmptyState>
      ) : (
        <div className={classes.page}>
          <p className={classes.note} data-testid="settings-note">
            Every setting takes effect at once, for all requests from then on. Each change stands in
            the{" "}
            <Link to="/changes" search={{ kind: "setting" }}>
              change history
            </Link>
            . Whether prompts and answers are kept is a <Link to="/toggles">toggle</Link>; where
            alerts are told stands under <Link to="/notifications">Notifications</Link>.
          </p>
          {shown.map(({ group, settings }) => (
            <Panel
              key={group.id}
              title={
                <span className={classes.head}>
                  <group.icon size={16} stroke={1.75} aria-hidden />
                  {group.title}
                </span>
              }
              flush
              data-testid={`settings-${group.id}`}
            >
              {settings.map((setting) => (
                <SettingRow key={setting.name} setting={setting} linked={setting.name === linked} />
              ))}
            </Panel>
          ))}
          {q === undefined ? (
            <>
              <PeoplePanel />
              <DesktopPanel />
            </>
          ) : null}
        </div>
      )}
    </Page>
  );
}

const NONE: readonly Setting[] = [];

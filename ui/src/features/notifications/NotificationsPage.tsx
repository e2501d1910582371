import { Button, SegmentedControl, Select } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import { alertRulesQueryOptions } from "@/api/queries";
import { ErrorState } from "@/components/ErrorState";
import live from "@/components/LiveList.module.css";
import { Page } from "@/components/Page";
import { SheetHost } from "@/components/Sheet";
import { Skeleton } from "@/components/Skeletons";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import { AddChannelDialog } from "./components/AddChannelDialog";
import { ChannelSheet } from "./components/ChannelSheet";
import { ChannelsView } from "./components/ChannelsView";
import { DeliveriesView } from "./components/DeliveriesView";
import { RuleSheet } from "./components/RuleSheet";
import { RulesView } from "./components/RulesView";
import classes from "./NotificationsPage.module.css";
import { channelsQueryOptions } from "./queries";
import type { NotificationsSearch } from "./search";

const VIEWS = ["channels", "rules", "deliveries"] as const;

/** Where alerts are told, which and when, and what became of it. */
export function NotificationsPage() {
  const search = useSearch({ from: "/notifications" });
  const navigate = useNavigate({ from: "/notifications" });
  const channels = useQuery(channelsQueryOptions());
  const rules = useQuery(alertRulesQueryOptions());
  const view = VIEWS.find((known) => known === search.view) ?? "channels";
  const set = (next: NotificationsSearch) => void navigate({ search: next });
  const openAdd = () => set({ add: true });

  const actions = useLatest({ openAdd });
  const shortcuts = useMemo<Shortcut[]>(
    () => [{ keys: "c", label: "Add a channel", run: () => actions.current.openAdd() }],
    [actions],
  );
  useShortcuts("Notifications", shortcuts);

  const channel = channels.data?.find(({ id }) => id === search.channel);
  const rule = rules.data?.find(({ kind }) => kind === search.rule);
  let sheet: ReactNode = null;
  if (view === "channels" && channel) {
    sheet = <ChannelSheet key={channel.id} channel={channel} onClose={() => set({})} />;
  } else if (view === "rules" && rule) {
    sheet = (
      <RuleSheet
        key={rule.kind}
        rule={rule}
        channels={channels.data ?? []}
        onClose={() => set({ view: "rules" })}
      />
    );
  }
  const error = channels.data && rules.data ? null : (channels.error ?? rules.error);
  return (
    <Page
      id="notifications"
      layout="fill"
      toolbar={
        <>
          <SegmentedControl
            data={[
              { value: "channels", label: "Channels" },
              { value: "rules", label: "Rules" },
              { value: "deliveries", label: "Deliveries" },
            ]}
            value={view}
            onChange={(next) => set(next === "channels" ? {} : { view: next })}
            aria-label="What is shown"
            data-testid="notifications-view"
          />
          {view === "deliveries" ? (
            <Select
              className={classes.filter}
              aria-label="On which channel"
              placeholder="Any channel"
              data={(channels.data ?? []).map(({ id, name }) => ({ value: id, label: name }))}
              value={search.channel ?? null}
              onChange={(id) => set({ view, channel: id ?? undefined })}
              clearable
              data-testid="deliveries-channel"
            />
          ) : null}
          <span className={classes.grow} />
          <Link to="/alerts">Inbox</Link>
          {view === "channels" ? (
            <Button
              leftSection={<IconPlus size={14} aria-hidden />}
              onClick={openAdd}
              data-testid="channel-add"
            >
              Add channel
            </Button>
          ) : null}
        </>
      }
    >
      <div className={live.card}>
        <SheetHost sheet={sheet}>
          <div className={live.frame}>
            {view === "deliveries" ? (
              <DeliveriesView
                channel={search.channel}
                onClear={() => set({ view: "deliveries" })}
              />
            ) : error ? (
              <ErrorState
                title="Channels and rules could not be read"
                error={error}
                onRetry={() => {
                  void channels.refetch();
                  void rules.refetch();
                }}
              />
            ) : channels.isPending || rules.isPending ? (
              <Skeleton label="the channels" shape="rows" rows={10} />
            ) : view === "channels" ? (
              <ChannelsView
                channels={channels.data ?? []}
                openId={search.channel}
                onOpen={(id) => set({ channel: id })}
                onAdd={openAdd}
              />
            ) : (
              <RulesView
                rules={rules.data ?? []}
                channels={channels.data ?? []}
                openKind={search.rule}
                onOpen={(kind) => set({ view: "rules", rule: kind })}
              />
            )}
          </div>
        </SheetHost>
      </div>
      <AddChannelDialog
        opened={search.add === true}
        onClose={(added) => set(added ? { channel: added.id } : {})}
      />
    </Page>
  );
}

import { Button, TextInput } from "@mantine/core";
import { IconArrowLeft, IconFilterOff, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { type Column, DataTable } from "@/components/DataTable";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { JsonDiff } from "@/components/JsonDiff";
import { MonoBox } from "@/components/MonoBox";
import { Page } from "@/components/Page";
import { RelativeTime } from "@/components/RelativeTime";
import { Sheet, SheetHost } from "@/components/Sheet";
import { Skeleton } from "@/components/Skeletons";
import { StatusBadge } from "@/components/StatusBadge";
import { plural } from "@/lib/numbers";
import classes from "@/components/LiveList.module.css";
import { KindLabel } from "../columns";
import { sinceWord, type ThenAndNow, thenAndNow } from "../model";
import { stateAtQueryOptions } from "../queries";
import own from "./StateAtView.module.css";

type Props = {
  at: string;
  /** Kind and name of what is open. */
  thing: string | undefined;
  onOpen: (thing: string | undefined) => void;
  onBack: () => void;
};

/** The configuration as it was at an instant, each thing beside what it is now. */
export function StateAtView({ at, thing, onOpen, onBack }: Props) {
  const then = useQuery(stateAtQueryOptions(at));
  const now = useQuery(stateAtQueryOptions("now"));
  const [typed, setTyped] = useState("");
  const all = useMemo(
    () => thenAndNow(then.data?.things ?? [], now.data?.things),
    [then.data, now.data],
  );
  const wanted = typed.trim().toLowerCase();
  const rows = useMemo(
    () => all.filter(({ id }) => id.toLowerCase().includes(wanted)),
    [all, wanted],
  );
  const compared = now.data !== undefined;
  const columns = useMemo(() => stateColumns(compared), [compared]);
  const opened = all.find(({ id }) => id === thing);
  return (
    <Page
      id="state-at"
      layout="fill"
      toolbar={
        <>
          <Button
            variant="subtle"
            color="gray"
            h={32}
            leftSection={<IconArrowLeft size={14} aria-hidden />}
            onClick={onBack}
            data-testid="state-at-back"
          >
            History
          </Button>
          <strong data-testid="state-at-title">
            As it was at <RelativeTime value={at} format="full" />
          </strong>
          <TextInput
            className={own.search}
            aria-label="Filter by kind or name"
            placeholder="Filter by kind or name"
            leftSection={<IconSearch size={14} aria-hidden />}
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            data-testid="state-at-filter"
          />
          <span className="muted" role="status">
            {then.data ? plural(rows.length, "thing") : ""}
          </span>
        </>
      }
    >
      <div className={classes.card}>
        <SheetHost
          sheet={
            opened === undefined ? null : (
              <ThingSheet
                key={opened.id}
                thing={opened}
                compared={compared}
                onClose={() => onOpen(undefined)}
              />
            )
          }
        >
          <div className={classes.frame}>
            {then.isPending ? (
              <Skeleton label="the configuration" shape="rows" rows={16} />
            ) : then.error ? (
              <ErrorState
                title="The configuration of that time could not be told"
                error={then.error}
                onRetry={() => void then.refetch()}
              />
            ) : (
              <DataTable
                label="Configuration"
                columns={columns}
                rows={rows}
                rowId={({ id }) => id}
                minWidth={640}
                rowTestId="state-row"
                openId={thing}
                onOpen={({ id }) => onOpen(id)}
                pageKeys
                empty={
                  <EmptyState icon={IconFilterOff} title="Nothing has that in its kind or name" />
                }
                data-testid="state-at-table"
              />
            )}
          </div>
        </SheetHost>
      </div>
    </Page>
  );
}

const SINCE = {
  same: { tone: "neutral", word: "As it is now" },
  changed: { tone: "warn", word: "Changed since" },
  gone: { tone: "critical", word: "Gone since" },
} as const;

function stateColumns(compared: boolean): readonly Column<ThenAndNow>[] {
  return [
    {
      id: "kind",
      header: "Kind",
      width: "120px",
      cell: ({ was }) => <KindLabel kind={was.kind} />,
      sortValue: ({ was }) => was.kind,
    },
    {
      id: "name",
      header: "Name",
      width: "minmax(180px, 2fr)",
      cell: ({ was }) => <span title={was.name}>{was.name}</span>,
      sortValue: ({ was }) => was.name,
    },
    {
      id: "since",
      header: "Since",
      width: "140px",
      hint: "When it had become so",
      cell: ({ was }) =>
        was.since === null ? (
          <span className="muted">the beginning</span>
        ) : (
          <RelativeTime value={was.since} />
        ),
      sortValue: ({ was }) => was.since ?? "",
    },
    {
      id: "entry",
      header: "Entry",
      width: "72px",
      cell: ({ was }) => <span className="tabular muted">{was.seq ?? "–"}</span>,
    },
    {
      id: "now",
      header: "Now",
      width: "minmax(140px, 1fr)",
      cell: (row) => {
        if (!compared) return <span className="muted">–</span>;
        const { tone, word } = SINCE[sinceWord(row)];
        return tone === "neutral" ? (
          <span className="muted">{word}</span>
        ) : (
          <StatusBadge tone={tone}>{word}</StatusBadge>
        );
      },
    },
  ];
}

type SheetProps = { thing: ThenAndNow; compared: boolean; onClose: () => void };

function ThingSheet({ thing, compared, onClose }: SheetProps) {
  const { was, now } = thing;
  const since = sinceWord(thing);
  return (
    <Sheet
      label={`${was.kind} ${was.name}`}
      title={<span className="ellipsis">{was.name}</span>}
      onClose={onClose}
      data-testid="state-detail"
    >
      <div className={own.sections}>
        {compared && since !== "same" ? (
          <section aria-label="From then to now">
            <h3>{since === "gone" ? "It is gone since" : "From then to now"}</h3>
            <JsonDiff before={was.state} after={now?.state ?? null} context={2} />
          </section>
        ) : null}
        <section aria-label="Then">
          <h3>Then</h3>
          <MonoBox label="Then" text={pretty(was.state)} maxHeight={480} />
        </section>
      </div>
    </Sheet>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

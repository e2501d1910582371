import { Button, Checkbox, Tabs, TextInput } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type {
  Change,
  ChangedPrice,
  NewPrice,
  PriceImportPreview,
  PriceImportResult,
  SkippedPrice,
} from "@/bindings";
import { CommandError } from "@/api/call";
import { type Column, DataTable } from "@/components/DataTable";
import { ErrorState } from "@/components/ErrorState";
import live from "@/components/LiveList.module.css";
import { SheetHost } from "@/components/Sheet";
import { StatusBadge } from "@/components/StatusBadge";
import { formatCount, plural } from "@/lib/numbers";
import {
  firstChoice,
  firstTab,
  IMPORT_TABS,
  type ImportTab,
  selectable,
  TAB_WORDS,
  tabCounts,
  toggleAll,
  toggleOne,
} from "../importChoice";
import { changeWords, largestChange, mainRates } from "../model";
import { applyImportMutationOptions } from "../mutations";
import classes from "../prices.module.css";
import { Rate } from "../columns";
import { Percent } from "./CardView";
import { FromWhen } from "./FromWhen";
import { ImportRowSheet } from "./ImportRowSheet";

type Props = {
  preview: PriceImportPreview;
  /** Null: another admin has to approve it first. */
  onApplied: (made: { result: PriceImportResult; change: Change | undefined } | null) => void;
  /** The preview is no longer what it was: the list has to be read again. */
  onGone: () => void;
};

/** What a list would change, sorted by how sure it is; chosen row by row, or a tab at once. */
export function ImportDiff({ preview, onApplied, onGone }: Props) {
  const [tab, setTab] = useState<ImportTab>(() => firstTab(preview));
  const [chosen, setChosen] = useState(() => firstChoice(preview));
  const [openTarget, setOpenTarget] = useState<string>();
  const [reason, setReason] = useState("");
  const [from, setFrom] = useState<string>();
  const apply = useMutation(applyImportMutationOptions());
  const counts = tabCounts(preview);
  const offered = selectable(preview, tab);
  const taken = offered.filter((target) => chosen.has(target)).length;
  const toggle = (target: string) => {
    setChosen((before) => toggleOne(before, target));
    apply.reset();
  };
  const gone =
    apply.error instanceof CommandError && ["not_found", "conflict"].includes(apply.error.code);
  const submit = () =>
    apply.mutate(
      {
        token: preview.token,
        targets: [...chosen],
        effective_from: from ?? null,
        reason: reason.trim() === "" ? null : reason.trim(),
      },
      { onSuccess: onApplied },
    );
  return (
    <div className={classes.import}>
      <Tabs
        value={tab}
        onChange={(value) => {
          const next = IMPORT_TABS.find((known) => known === value);
          if (!next) return;
          setTab(next);
          setOpenTarget(undefined);
        }}
      >
        <Tabs.List aria-label="Differences">
          {IMPORT_TABS.map((name) => (
            <Tabs.Tab key={name} value={name} data-testid={`import-tab-${name}`}>
              {TAB_WORDS[name]} <span className="muted">{formatCount(counts[name])}</span>
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      <div className={live.card}>
        <SheetHost
          sheet={
            openTarget === undefined ? null : (
              <ImportRowSheet
                key={openTarget}
                preview={preview}
                target={openTarget}
                chosen={chosen.has(openTarget)}
                onToggle={() => toggle(openTarget)}
                onClose={() => setOpenTarget(undefined)}
              />
            )
          }
        >
          <div className={live.frame}>
            {tab === "skipped" ? <Others preview={preview} /> : null}
            <TabTable
              key={tab}
              tab={tab}
              preview={preview}
              chosen={chosen}
              openTarget={openTarget}
              onToggle={toggle}
              onOpen={setOpenTarget}
            />
            <div className={classes.applyBar}>
              {offered.length > 0 ? (
                <Checkbox
                  size="xs"
                  label={`All ${formatCount(offered.length)} ${TAB_WORDS[tab].toLowerCase()}`}
                  checked={taken === offered.length}
                  indeterminate={taken > 0 && taken < offered.length}
                  onChange={() => setChosen(toggleAll(chosen, offered))}
                  data-testid="import-all"
                />
              ) : null}
              <p role="status" data-testid="import-chosen">
                {plural(chosen.size, "price")} chosen
              </p>
              <TextInput
                className={classes.reason}
                aria-label="Reason (optional)"
                placeholder="Reason (optional)"
                value={reason}
                onChange={(event) => setReason(event.currentTarget.value)}
                maxLength={500}
              />
              <FromWhen value={from} onChange={setFrom} />
              <Button
                onClick={submit}
                disabled={chosen.size === 0}
                loading={apply.isPending}
                data-testid="import-apply"
              >
                Apply {plural(chosen.size, "price")}
              </Button>
            </div>
            {apply.error ? (
              <ErrorState
                title="The prices were not taken over"
                error={apply.error}
                {...(gone ? { onRetry: onGone } : {})}
                compact
              />
            ) : null}
          </div>
        </SheetHost>
      </div>
    </div>
  );
}

type TableProps = {
  tab: ImportTab;
  preview: PriceImportPreview;
  chosen: ReadonlySet<string>;
  openTarget: string | undefined;
  onToggle: (target: string) => void;
  onOpen: (target: string) => void;
};

function TabTable(props: TableProps) {
  const { tab, preview, chosen, openTarget, onToggle, onOpen } = props;
  const changed = useMemo(
    () => preview.changed.filter((row) => row.suspicious.length > 0 === (tab === "suspicious")),
    [preview, tab],
  );
  const unchanged = useMemo(
    () => preview.unchanged.map((target) => ({ target })),
    [preview.unchanged],
  );
  const common = {
    openId: openTarget,
    rowTestId: "import-row",
    pageKeys: true,
    minWidth: 720,
    "data-testid": "import-table",
  } as const;
  const nothing = <p className={classes.others}>Nothing on this tab.</p>;
  switch (tab) {
    case "new":
      return (
        <DataTable
          {...common}
          label="New prices"
          columns={[pickColumn<NewPrice>(chosen, onToggle), ...NEW_COLUMNS]}
          rows={preview.new}
          rowId={targetOf}
          onOpen={(row) => onOpen(row.target)}
          onToggle={(row) => onToggle(row.target)}
          empty={nothing}
        />
      );
    case "changed":
    case "suspicious":
      return (
        <DataTable
          {...common}
          label={`${TAB_WORDS[tab]} prices`}
          columns={[
            pickColumn<ChangedPrice>(chosen, onToggle),
            ...changedColumns(tab === "suspicious"),
          ]}
          rows={changed}
          rowId={targetOf}
          onOpen={(row) => onOpen(row.target)}
          onToggle={(row) => onToggle(row.target)}
          empty={nothing}
        />
      );
    case "unchanged":
      return (
        <DataTable
          {...common}
          label="Unchanged prices"
          columns={UNCHANGED_COLUMNS}
          rows={unchanged}
          rowId={targetOf}
          empty={nothing}
        />
      );
    case "skipped":
      return (
        <DataTable
          {...common}
          label="Skipped entries"
          columns={SKIPPED_COLUMNS}
          rows={preview.skipped}
          rowId={(row) => row.name}
          empty={nothing}
        />
      );
  }
}

/** A box to choose the row by mouse; the keyboard chooses it with Space. */
function pickColumn<Row extends { target: string }>(
  chosen: ReadonlySet<string>,
  onToggle: (target: string) => void,
): Column<Row> {
  return {
    id: "pick",
    header: "",
    width: "36px",
    cell: ({ target }) => (
      <Pick target={target} chosen={chosen.has(target)} onToggle={() => onToggle(target)} />
    ),
  };
}

type PickProps = { target: string; chosen: boolean; onToggle: () => void };

function Pick({ target, chosen, onToggle }: PickProps) {
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/no-static-element-interactions -- only keeps the row from opening
    <span className={classes.pick} onClick={(event) => event.stopPropagation()}>
      <Checkbox
        size="xs"
        tabIndex={-1}
        checked={chosen}
        onChange={onToggle}
        aria-label={`Take over ${target}`}
      />
    </span>
  );
}

const NEW_COLUMNS: readonly Column<NewPrice>[] = [
  { id: "model", header: "Model", width: "minmax(200px, 1.6fr)", cell: (row) => row.target },
  {
    id: "known",
    header: "Here",
    width: "148px",
    cell: (row) =>
      row.known ? (
        <StatusBadge tone="info">Had no price</StatusBadge>
      ) : (
        <span className="muted">would be added</span>
      ),
  },
  {
    id: "input",
    header: "Input",
    width: "minmax(130px, 0.8fr)",
    align: "end",
    cell: (row) => <FirstRate row={row} />,
  },
  {
    id: "output",
    header: "Output",
    width: "96px",
    align: "end",
    cell: (row) => <Rate rate={row.cards[0] ? mainRates(row.cards[0]).output : undefined} />,
  },
  {
    id: "notes",
    header: "Notes",
    width: "minmax(120px, 1fr)",
    cell: (row) => <span title={row.notes.join("\n")}>{row.notes.join(" ")}</span>,
  },
];

function FirstRate({ row: { cards } }: { row: NewPrice }) {
  const rates = cards[0] ? mainRates(cards[0]) : undefined;
  if (!rates?.own) return <Rate rate={rates?.input} />;
  return (
    <>
      <Rate rate={rates.own} /> <span className="muted">/ {rates.own.lot}</span>
    </>
  );
}

function changedColumns(suspicious: boolean): readonly Column<ChangedPrice>[] {
  return [
    { id: "model", header: "Model", width: "minmax(190px, 1.2fr)", cell: (row) => row.target },
    {
      id: "largest",
      header: "Largest",
      width: "92px",
      align: "end",
      hint: "The rate that moves most",
      cell: (row) => <Percent percent={largestChange(row.changes)?.percent ?? null} />,
    },
    {
      id: "changes",
      header: "What changes",
      width: "minmax(220px, 2fr)",
      cell: (row) => <span title={wordsOf(row)}>{wordsOf(row)}</span>,
    },
    {
      id: "used",
      header: "In use",
      width: "64px",
      cell: (row) => (row.in_use ? "Yes" : <span className="muted">–</span>),
    },
    {
      id: "why",
      header: suspicious ? "Why to look twice" : "Notes",
      width: "minmax(140px, 1.2fr)",
      cell: (row) => {
        const words = (suspicious ? row.suspicious : row.notes).join(" ");
        return suspicious ? (
          <span title={words} className={classes.up}>
            <IconAlertTriangle size={12} aria-hidden style={{ verticalAlign: -1 }} /> {words}
          </span>
        ) : (
          <span className="muted" title={words}>
            {words}
          </span>
        );
      },
    },
  ];
}

function wordsOf({ changes, batch_percent_before, batch_percent_after }: ChangedPrice): string {
  const batch =
    batch_percent_before === batch_percent_after
      ? []
      : [`Batch ${batch_percent_before} % → ${batch_percent_after} %`];
  return [...changes.map(changeWords), ...batch].join(", ");
}

const UNCHANGED_COLUMNS: readonly Column<{ target: string }>[] = [
  { id: "model", header: "Model", width: "minmax(200px, 1fr)", cell: (row) => row.target },
];

const SKIPPED_COLUMNS: readonly Column<SkippedPrice>[] = [
  {
    id: "name",
    header: "Entry",
    width: "minmax(180px, 1fr)",
    cell: (row) => (
      <span className="mono" title={row.name}>
        {row.name}
      </span>
    ),
  },
  {
    id: "reason",
    header: "Why",
    width: "minmax(240px, 2fr)",
    cell: (row) => <span title={row.reason}>{row.reason}</span>,
  },
];

/** Entries for providers this installation does not have: counted, not listed. */
function Others({ preview }: { preview: PriceImportPreview }) {
  const { other_providers: others } = preview;
  if (others.length === 0) return null;
  const entries = others.reduce((sum, other) => sum + other.entries, 0);
  return (
    <p
      className={classes.others}
      title={others.map(({ name, entries: n }) => `${name}: ${n}`).join("\n")}
    >
      {plural(entries, "entry", "entries")} for providers you do not have:{" "}
      {others
        .slice(0, 6)
        .map(({ name, entries: count }) => `${name} (${formatCount(count)})`)
        .join(", ")}
      {others.length > 6 ? ` and ${others.length - 6} more` : ""}
    </p>
  );
}

function targetOf(row: { target: string }): string {
  return row.target;
}

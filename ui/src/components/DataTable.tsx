import {
  type ColumnDef,
  createSortedRowModel,
  rowSortingFeature,
  type SortingState,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from "react";
import { type Density, usePreferences } from "@/lib/preferences";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import classes from "./DataTable.module.css";

/** What a column sorts by. Money goes in as `bigint` (see `parseNano`), never as a number. */
export type SortValue = number | bigint | string | null;

export type Column<Row> = {
  id: string;
  header: string;
  /** A CSS track: `96px`, `minmax(120px, 1fr)`. */
  width: string;
  align?: "start" | "end";
  cell: (row: Row) => ReactNode;
  /** Makes the column sortable. */
  sortValue?: (row: Row) => SortValue;
  /** Explains the header on hover. */
  hint?: string;
};

export type Sort = { id: string; desc: boolean };

type Props<Row> = {
  /** Accessible name, e.g. "Requests". */
  label: string;
  columns: readonly Column<Row>[];
  rows: Row[];
  rowId: (row: Row) => string;
  /** `fill`: takes the height and scrolls inside; `content`: as high as its rows. */
  height?: "fill" | "content";
  density?: Density;
  /** Rows of several lines have a height of their own. */
  rowPx?: number;
  /** Enter, or a click on the row. */
  onOpen?: (row: Row) => void;
  /** `Space`, e.g. to choose the row; absent: it opens the row, as Enter does. */
  onToggle?: (row: Row) => void;
  /** Called when the row under the keyboard changes. */
  onActiveChange?: (row: Row) => void;
  /** `J` and `K` work wherever the focus is, not only inside the table: for the one list a screen is about. */
  pageKeys?: boolean;
  /** The row whose detail is open. */
  openId?: string | undefined;
  /** All rows there are, if more than are loaded; undefined when unknown. */
  totalCount?: number;
  sort?: Sort | undefined;
  onSortChange?: (sort: Sort | undefined) => void;
  /** Called when the last loaded row comes near; load the next page. */
  onEndReached?: () => void;
  /** Under the last row: "Loading more…" and the like. */
  footer?: ReactNode;
  /** Instead of rows when there are none. */
  empty?: ReactNode;
  /** Below this width the table scrolls sideways in its own frame. */
  minWidth?: number;
  rowTestId?: string | ((row: Row) => string);
  /** Makes a row look quieter, e.g. for something disabled. */
  isDimmed?: (row: Row) => boolean;
  "data-testid"?: string;
};

type AnyRow = Record<string, unknown> | object;

// At module scope: a new object would rebuild every row model on each render.
const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });

const ROW_PX: Record<Density, number> = { compact: 28, default: 34, comfortable: 42 };
const OVERSCAN_ROWS = 12;
/** The next page is asked for when this many rows are left below. */
const END_MARGIN_ROWS = 20;

/** Rows and columns with a sticky header, by mouse and by keyboard (`J` `K` `Enter` `Space` `Home` `End`), any number of rows. */
export function DataTable<Row extends AnyRow>(props: Props<Row>) {
  const { columns, rows, rowId, onOpen, openId, height = "fill" } = props;
  const preferred = usePreferences().density;
  const rowPx = props.rowPx ?? ROW_PX[props.density ?? preferred];
  const [ownSort, setOwnSort] = useState<Sort | undefined>(undefined);
  const sort = props.onSortChange ? props.sort : (ownSort ?? props.sort);
  const setSort = props.onSortChange ?? setOwnSort;
  const [activeId, setActiveId] = useState<string | undefined>(undefined);

  const definitions = useMemo(() => toDefinitions(columns), [columns]);
  const sorting = useMemo<SortingState>(() => (sort ? [sort] : []), [sort]);
  const table = useTable({
    features,
    columns: definitions,
    data: rows,
    getRowId: rowId,
    state: { sorting },
  });
  const shown = table.getRowModel().rows;

  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    getItemKey: (index) => shown[index]?.id ?? index,
    overscan: OVERSCAN_ROWS,
    enabled: height === "fill",
    // Tests and the first frame have no measured height; a screenful is the honest guess.
    initialRect: { width: 1000, height: 600 },
    onChange: (instance) => {
      const last = instance.range?.endIndex;
      if (props.onEndReached && last !== undefined && last >= shown.length - END_MARGIN_ROWS) {
        props.onEndReached();
      }
    },
  });

  const activeIndex = shown.findIndex((row) => row.id === (activeId ?? openId));
  const move = (wanted: number) => {
    const index = Math.min(Math.max(wanted, 0), shown.length - 1);
    const target = shown[index];
    if (!target) return;
    setActiveId(target.id);
    props.onActiveChange?.(target.original);
    virtual.scrollToIndex(index, { align: "auto" });
    // With a detail open, moving in the list moves the detail along.
    if (openId !== undefined && onOpen) onOpen(target.original);
  };
  const moveBy = useLatest((by: number) => {
    scroller.current?.focus({ preventScroll: true });
    move(activeIndex < 0 ? 0 : activeIndex + by);
  });
  const pageShortcuts = useMemo<Shortcut[]>(
    () =>
      props.pageKeys
        ? [
            { keys: "j", label: "Next row", run: () => moveBy.current(1) },
            { keys: "k", label: "Previous row", run: () => moveBy.current(-1) },
          ]
        : [],
    [props.pageKeys, moveBy],
  );
  useShortcuts(props.label, pageShortcuts);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const page = Math.max(Math.floor((scroller.current?.clientHeight ?? 0) / rowPx) - 2, 1);
    const steps: Record<string, () => void> = {
      j: () => move(activeIndex + 1),
      ArrowDown: () => move(activeIndex + 1),
      k: () => move(activeIndex < 0 ? 0 : activeIndex - 1),
      ArrowUp: () => move(activeIndex < 0 ? 0 : activeIndex - 1),
      PageDown: () => move(activeIndex + page),
      PageUp: () => move(activeIndex - page),
      Home: () => move(0),
      End: () => move(shown.length - 1),
      Enter: () => {
        const row = shown[activeIndex];
        if (row && onOpen) onOpen(row.original);
      },
      " ": () => {
        const row = shown[activeIndex];
        if (row) (props.onToggle ?? onOpen)?.(row.original);
      },
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    step();
  };

  const template = columns.map((column) => column.width).join(" ");
  const renderRow = (index: number, top: number | undefined) => {
    const row = shown[index];
    if (!row) return null;
    return (
      // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the grid has the focus and handles the keys
      <div
        key={row.id}
        id={`${props.label}-${row.id}`}
        role="row"
        aria-rowindex={index + 2}
        aria-selected={row.id === openId}
        className={classes.row}
        data-active={row.id === (activeId ?? openId)}
        data-open={row.id === openId}
        data-clickable={onOpen !== undefined}
        data-dimmed={props.isDimmed?.(row.original) ?? false}
        data-testid={
          typeof props.rowTestId === "function" ? props.rowTestId(row.original) : props.rowTestId
        }
        data-row-id={row.id}
        style={{
          gridTemplateColumns: template,
          height: rowPx,
          ...(top === undefined
            ? {}
            : { position: "absolute", top: 0, transform: `translateY(${top}px)` }),
        }}
        onClick={() => {
          setActiveId(row.id);
          props.onActiveChange?.(row.original);
          onOpen?.(row.original);
        }}
      >
        {columns.map((column) => (
          <div
            key={column.id}
            role="gridcell"
            className={classes.cell}
            data-align={column.align ?? "start"}
            data-column={column.id}
          >
            {column.cell(row.original)}
          </div>
        ))}
      </div>
    );
  };

  return (
    <div
      ref={scroller}
      className={classes.table}
      data-height={height}
      role="grid"
      aria-label={props.label}
      aria-rowcount={(props.totalCount ?? shown.length) + 1}
      aria-colcount={columns.length}
      aria-activedescendant={
        activeIndex >= 0 ? `${props.label}-${shown[activeIndex]?.id}` : undefined
      }
      tabIndex={0}
      onKeyDown={onKeyDown}
      data-testid={props["data-testid"]}
    >
      <div className={classes.inner} style={{ minWidth: props.minWidth }}>
        <div role="rowgroup" className={classes.head}>
          <div
            role="row"
            aria-rowindex={1}
            className={classes.row}
            style={{ gridTemplateColumns: template }}
          >
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} sort={sort} onSort={setSort} />
            ))}
          </div>
        </div>
        {shown.length === 0 ? (
          <div role="row" className={classes.empty}>
            <div role="gridcell" className={classes.empty}>
              {props.empty}
            </div>
          </div>
        ) : (
          <div
            role="rowgroup"
            className={classes.body}
            style={height === "fill" ? { height: virtual.getTotalSize() } : undefined}
          >
            {height === "fill"
              ? virtual.getVirtualItems().map((item) => renderRow(item.index, item.start))
              : shown.map((_, index) => renderRow(index, undefined))}
          </div>
        )}
        {props.footer ? (
          <div role="row">
            <div role="gridcell" className={classes.footer}>
              {props.footer}
            </div>
          </div>
        ) : null}
      </div>
    </div>
  );
}

type HeaderProps<Row> = {
  column: Column<Row>;
  sort: Sort | undefined;
  onSort: (sort: Sort | undefined) => void;
};

function HeaderCell<Row>({ column, sort, onSort }: HeaderProps<Row>) {
  const direction = sort?.id === column.id ? (sort.desc ? "descending" : "ascending") : "none";
  const Arrow = direction === "ascending" ? IconArrowUp : IconArrowDown;
  return (
    <div
      role="columnheader"
      className={classes.cell}
      data-align={column.align ?? "start"}
      aria-sort={column.sortValue ? direction : undefined}
      title={column.hint}
    >
      {column.sortValue ? (
        <button
          type="button"
          className={classes.sort}
          data-sorted={direction !== "none"}
          onClick={() =>
            onSort({
              id: column.id,
              desc: direction === "none" ? column.align === "end" : direction === "ascending",
            })
          }
        >
          {column.header}
          <Arrow size={12} aria-hidden className={classes.arrow} />
        </button>
      ) : (
        <span className="ellipsis">{column.header}</span>
      )}
    </div>
  );
}

function toDefinitions<Row extends AnyRow>(
  columns: readonly Column<Row>[],
): ColumnDef<typeof features, Row>[] {
  return columns.map((column) => ({
    id: column.id,
    accessorFn: (row: Row) => column.sortValue?.(row) ?? null,
    enableSorting: column.sortValue !== undefined,
    sortFn: (a, b) =>
      compareValues(column.sortValue?.(a.original) ?? null, column.sortValue?.(b.original) ?? null),
  }));
}

/** Ascending; what is absent comes first, so that it ends up last where the largest is wanted. */
export function compareValues(a: SortValue, b: SortValue): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (typeof a === "string" && typeof b === "string") return a.localeCompare(b);
  return a < b ? -1 : a > b ? 1 : 0;
}

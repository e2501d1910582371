import { Checkbox } from "@mantine/core";
import { IconArrowsSort } from "@tabler/icons-react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type Ref, useEffect, useImperativeHandle, useRef } from "react";
import { useNow } from "@/lib/clock";
import { formatCount, plural } from "@/lib/numbers";
import type { ApprovalRow } from "@/bindings";
import { type Desk, untidy } from "../desk";
import { GONE_WORDS, rowLabel, spanWords } from "../model";
import type { DeskHandle } from "../useDesk";
import classes from "./approvals.module.css";
import { Cost } from "./Cost";
import { ExpiryRing } from "./ExpiryRing";
import { RiskBadge } from "./RiskBadge";

const ROW_PX = 62;
const OVERSCAN_ROWS = 8;
/** The next page is asked for when this many rows are left below. */
const END_MARGIN_ROWS = 20;

type Props = {
  desk: Desk;
  does: DeskHandle["does"];
  rows: ReadonlyMap<string, ApprovalRow>;
  /** How many wait, when more than are read. */
  total: number;
  onEndReached: () => void;
  /** To bring the keyboard back here after a decision. */
  focus: Ref<{ focus: () => void }>;
};

/** What waits, in the order of the desk. The open row stays where it is whatever arrives. */
export function QueueList({ desk, does, rows, total, onEndReached, focus }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  useImperativeHandle(focus, () => ({
    focus: () => scroller.current?.focus({ preventScroll: true }),
  }));
  const virtual = useVirtualizer({
    count: desk.order.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => desk.order[index] ?? index,
    overscan: OVERSCAN_ROWS,
    // Tests and the first frame have no measured height; a screenful is the honest guess.
    initialRect: { width: 400, height: 600 },
    onChange: (instance) => {
      const last = instance.range?.endIndex;
      if (last !== undefined && last >= desk.order.length - END_MARGIN_ROWS) onEndReached();
    },
  });
  const openIndex = desk.openId === null ? -1 : desk.order.indexOf(desk.openId);
  // The list follows the open row when the person moves it, not when others move.
  useEffect(() => {
    if (openIndex >= 0) virtual.scrollToIndex(openIndex, { align: "auto" });
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- see above: only another open row scrolls
  }, [desk.openId]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey)
      return;
    const by = MOVES[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    does({ type: "move", by });
  };

  return (
    <section className={classes.queue} aria-label="Queue">
      <div
        ref={scroller}
        className={classes.scroller}
        role="grid"
        aria-label="Pending approvals"
        aria-rowcount={Math.max(total, desk.order.length)}
        aria-colcount={2}
        aria-activedescendant={openIndex >= 0 ? `approval-${desk.openId}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        data-testid="approvals-queue"
      >
        <div role="rowgroup" className={classes.rows} style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const id = desk.order[item.index];
            const row = id === undefined ? undefined : rows.get(id);
            return row ? (
              <QueueRow
                key={row.id}
                row={row}
                index={item.index}
                top={item.start}
                desk={desk}
                does={does}
              />
            ) : null;
          })}
        </div>
      </div>
      <TidyUp desk={desk} does={does} />
    </section>
  );
}

const MOVES: Readonly<Record<string, number>> = {
  ArrowDown: 1,
  ArrowUp: -1,
  PageDown: 8,
  PageUp: -8,
  Home: -Infinity,
  End: Infinity,
};

type RowProps = {
  row: ApprovalRow;
  index: number;
  top: number;
  desk: Desk;
  does: DeskHandle["does"];
};

function QueueRow({ row, index, top, desk, does }: RowProps) {
  const now = useNow();
  const gone = desk.gone.get(row.id);
  const isOpen = row.id === desk.openId;
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus -- the grid has the focus and handles the keys
    <div
      id={`approval-${row.id}`}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={isOpen}
      className={classes.row}
      data-open={isOpen}
      data-gone={gone !== undefined}
      data-testid="approval-row"
      data-row-id={row.id}
      style={{ height: ROW_PX, transform: `translateY(${top}px)` }}
      onClick={() => does({ type: "open", id: row.id })}
    >
      <div role="gridcell" className={classes.choose} aria-label={`Select ${row.subject}`}>
        <Checkbox
          size="xs"
          aria-label={`Select ${row.subject}`}
          checked={desk.chosen.has(row.id)}
          disabled={gone !== undefined}
          onClick={(event) => event.stopPropagation()}
          onChange={() => does({ type: "choose", id: row.id })}
          tabIndex={-1}
        />
      </div>
      <div role="gridcell" className={classes.lines}>
        <span className="visually-hidden">{rowLabel(row, gone, now)}</span>
        <span className={classes.line} aria-hidden>
          <strong className="ellipsis">{row.subject}</strong>
          <span className={classes.end}>
            <Cost row={row} />
          </span>
        </span>
        <span className={classes.line} aria-hidden>
          <span className={classes.who}>
            <RiskBadge risk={row.risk} />
            <span className="ellipsis" title={row.submitter}>
              {row.submitter}
            </span>
          </span>
          <span className={classes.end}>
            {gone ? (
              GONE_WORDS[gone]
            ) : (
              <>
                <span className={classes.age} title={`Asked ${row.created_at}`}>
                  {spanWords(now - Date.parse(row.created_at))} old
                </span>
                <ExpiryRing row={row} />
              </>
            )}
          </span>
        </span>
      </div>
    </div>
  );
}

/** News is kept below, and what has gone in its place, until the person wants it sorted. */
function TidyUp({ desk, does }: { desk: Desk; does: DeskHandle["does"] }) {
  const { late, gone } = untidy(desk);
  const words = [
    ...(late > 0 ? [`${formatCount(late)} new`] : []),
    ...(gone > 0 ? [`${formatCount(gone)} gone`] : []),
  ].join(", ");
  return (
    <>
      {words === "" ? null : (
        <button
          type="button"
          className={classes.tidy}
          onClick={() => does({ type: "sort" })}
          data-testid="approvals-sort"
        >
          <IconArrowsSort size={14} aria-hidden /> {words}: sort the queue
        </button>
      )}
      <span className="visually-hidden" role="status">
        {late > 0 ? `${plural(late, "new approval")} in the queue` : ""}
      </span>
    </>
  );
}

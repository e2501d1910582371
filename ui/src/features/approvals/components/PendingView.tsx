import { Button } from "@mantine/core";
import { IconChecks } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo, useRef } from "react";
import { useKeysetList } from "@/api/keyset";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { Skeleton } from "@/components/Skeletons";
import { plural } from "@/lib/numbers";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import type { ApprovalPage, ApprovalRow } from "@/bindings";
import type { Desk } from "../desk";
import { paperOf } from "../model";
import { approvalQueryOptions, fetchApprovals, headKey, olderKey, QUEUE } from "../queries";
import { type DeskHandle, useDesk, useShown } from "../useDesk";
import classes from "./approvals.module.css";
import { Chosen } from "./Chosen";
import { Contents } from "./Contents";
import { DecisionBar } from "./DecisionBar";
import { LastDecision } from "./LastDecision";
import { QueueList } from "./QueueList";

type Props = {
  /** The approval a link leads to. */
  wanted: string | undefined;
  /** Called once the link has been followed. */
  onFollowed: () => void;
};

/** What waits, and what lies open of it. */
export function PendingView({ wanted, onFollowed }: Props) {
  const list = useKeysetList<ApprovalRow, ApprovalPage>({
    headKey: headKey(QUEUE),
    olderKey: (cursor) => olderKey(QUEUE, cursor),
    fetchPage: (cursor) => fetchApprovals(QUEUE, cursor),
    rowId,
  });
  const { desk, does, error } = useDesk();
  const { rows, isPending } = list;
  const known = useKnownRows(rows);
  const focus = useRef<{ focus: () => void }>(null);

  // The desk is a state of its own: the queue is one of the things that happen to it.
  useEffect(() => {
    if (!isPending) does({ type: "queue", papers: rows.map(paperOf) });
  }, [rows, isPending, does]);
  const followed = useLatest(onFollowed);
  useEffect(() => {
    if (wanted === undefined) return;
    does({ type: "open", id: wanted });
    followed.current();
  }, [wanted, does, followed]);
  useBackToQueue(desk, focus);
  useDeskKeys(does);

  if (list.error && rows.length === 0)
    return (
      <ErrorState
        title="The approvals could not be read"
        error={list.error}
        onRetry={list.refetch}
      />
    );
  if (isPending) return <Skeleton label="the approvals" shape="rows" rows={12} />;
  if (desk.order.length === 0 && desk.openId === null)
    return <Nothing decided={list.head?.decided_this_week ?? 0} />;
  return (
    <div className={classes.panes}>
      <div className={classes.side}>
        <QueueList
          desk={desk}
          does={does}
          rows={known}
          total={list.head?.pending ?? rows.length}
          onEndReached={list.fetchMore}
          focus={focus}
        />
        <Chosen desk={desk} does={does} />
        <LastDecision desk={desk} does={does} />
      </div>
      {desk.openId === null ? null : (
        <Pane key={desk.openId} id={desk.openId} desk={desk} does={does} error={error} />
      )}
    </div>
  );
}

type PaneProps = { id: string; desk: Desk; does: DeskHandle["does"]; error: Error | null };

function Pane({ id, desk, does, error }: PaneProps) {
  const detail = useQuery(approvalQueryOptions(id));
  useShown(detail.data, does);
  return (
    <section className={classes.pane} aria-label="What is decided on" data-testid="approval-pane">
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolling region must be reachable by keyboard */}
      <div className={classes.body} tabIndex={0} role="region" aria-label="Contents">
        {detail.data ? (
          <Contents detail={detail.data} target={desk.target} />
        ) : detail.error ? (
          <ErrorState
            title="The approval could not be read"
            error={detail.error}
            onRetry={() => void detail.refetch()}
          />
        ) : (
          <Skeleton label="the approval" shape="text" rows={12} />
        )}
      </div>
      {detail.data ? (
        <DecisionBar desk={desk} does={does} detail={detail.data} error={error} />
      ) : null}
    </section>
  );
}

/** Rows by id, those that have left the queue too: the desk shows them until it is sorted. */
function useKnownRows(rows: readonly ApprovalRow[]): ReadonlyMap<string, ApprovalRow> {
  const ever = useRef(new Map<string, ApprovalRow>());
  return useMemo(() => {
    // oxlint-disable-next-line react-hooks/refs -- a cache that only grows; what is read from it depends on `rows` alone
    const known = new Map([...ever.current, ...rows.map((row) => [row.id, row] as const)]);
    // oxlint-disable-next-line react-hooks/refs -- see above
    ever.current = known;
    return known;
  }, [rows]);
}

/** After a question is answered its button is gone, and the keyboard would be nowhere. */
function useBackToQueue(desk: Desk, queue: { current: { focus: () => void } | null }): void {
  useEffect(() => {
    if (desk.stage.kind === "reading" && document.activeElement === document.body)
      queue.current?.focus();
  }, [desk.stage.kind, queue]);
}

function useDeskKeys(does: DeskHandle["does"]): void {
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "j", label: "Next approval", run: () => does({ type: "move", by: 1 }) },
      { keys: "k", label: "Previous approval", run: () => does({ type: "move", by: -1 }) },
      { keys: "a", label: "Approve (then Enter)", run: () => does({ type: "approve" }) },
      { keys: "r", label: "Reject with a reason", run: () => does({ type: "reject" }) },
      { keys: "u", label: "Take the last decision back", run: () => does({ type: "undo" }) },
      { keys: "x", label: "Select", run: () => does({ type: "choose" }) },
      {
        keys: "shift+a",
        label: "Approve what is selected",
        run: () => does({ type: "approve_chosen" }),
      },
      { keys: "escape", label: "Do not decide now", run: () => does({ type: "cancel" }) },
    ],
    [does],
  );
  useShortcuts("Approvals", shortcuts);
}

function Nothing({ decided }: { decided: number }) {
  return (
    <EmptyState
      icon={IconChecks}
      title={`No pending approvals. ${decided === 0 ? "None" : decided} decided this week`}
      action={
        <Button variant="default" renderRoot={(props) => <Link {...props} to="/operations" />}>
          See which operations need one
        </Button>
      }
      data-testid="approvals-empty"
    >
      {decided === 0
        ? "A route says when its requests wait for a person: always, above a cost, or by a rule."
        : `${plural(decided, "decision")} of the last seven days stand under Decided.`}
    </EmptyState>
  );
}

function rowId(row: ApprovalRow): string {
  return row.id;
}

import { Button } from "@mantine/core";
import { IconChecks, IconExternalLink } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { useKeysetList } from "@/api/keyset";
import type { ApprovalDetail, ApprovalPage, ApprovalRow } from "@/bindings";
import { EmptyState } from "@/components/EmptyState";
import { ErrorState } from "@/components/ErrorState";
import { Fact, Facts } from "@/components/Facts";
import { MonoBox } from "@/components/MonoBox";
import { Money } from "@/components/Money";
import { Skeleton } from "@/components/Skeletons";
import { formatCount, plural } from "@/lib/numbers";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import classes from "./components/approvals.module.css";
import { DecisionBar } from "./components/DecisionBar";
import { ExpiryRing } from "./components/ExpiryRing";
import { LastDecision } from "./components/LastDecision";
import { suspicions, paperOf } from "./model";
import {
  closeQuickMutationOptions,
  openQueueMutationOptions,
  quickApproveMutationOptions,
} from "./mutations";
import { approvalQueryOptions, fetchApprovals, headKey, olderKey, QUEUE } from "./queries";
import { type DeskHandle, useDesk, useShown } from "./useDesk";

/** The small window that stays on top: what is of low risk, one at a time. The rest is decided in the main window. */
export function QuickApprove() {
  const list = useKeysetList<ApprovalRow, ApprovalPage>({
    headKey: headKey(QUEUE),
    olderKey: (cursor) => olderKey(QUEUE, cursor),
    fetchPage: (cursor) => fetchApprovals(QUEUE, cursor),
    rowId,
  });
  const { rows, isPending, hasMore, fetchMore } = list;
  const low = useMemo(() => rows.filter((row) => row.risk === "low"), [rows]);
  const pending = list.head?.pending ?? rows.length;
  const handle = useDesk(quickApproveMutationOptions());
  const { desk, does } = handle;

  // The desk is a state of its own: the queue is one of the things that happen to it.
  useEffect(() => {
    if (!isPending) does({ type: "queue", papers: low.map(paperOf) });
  }, [low, isPending, does]);
  // The riskiest come first: what is of low risk may begin on a later page.
  const more = useLatest(fetchMore);
  useEffect(() => {
    if (hasMore && rows.every((row) => row.risk !== "low")) more.current();
  }, [rows, hasMore, more]);
  useQuickKeys(handle);

  const elsewhere = hasMore ? 0 : Math.max(pending - low.length, 0);
  return (
    <main className={classes.quick} data-testid="quick-approve">
      <header className={classes.quickHead}>
        <h1>Low-risk approvals</h1>
        <span className="muted tabular">{formatCount(low.length)} waiting</span>
      </header>
      {list.error && rows.length === 0 ? (
        <ErrorState
          title="The approvals could not be read"
          error={list.error}
          onRetry={list.refetch}
          compact
        />
      ) : isPending ? (
        <Skeleton label="the approvals" shape="text" rows={6} />
      ) : desk.openId === null ? (
        <EmptyState icon={IconChecks} title="Nothing of low risk waits" data-testid="quick-empty" />
      ) : (
        <Open key={desk.openId} id={desk.openId} handle={handle} />
      )}
      <LastDecision desk={desk} does={does} />
      <Elsewhere count={elsewhere} />
    </main>
  );
}

/** What has to be decided with more room. */
function Elsewhere({ count }: { count: number }) {
  const open = useMutation(openQueueMutationOptions());
  return (
    <footer className={classes.quickFoot}>
      <span className="muted">{count === 0 ? "" : `${plural(count, "other")} of higher risk`}</span>
      <Button
        size="compact-sm"
        variant="subtle"
        rightSection={<IconExternalLink size={14} aria-hidden />}
        onClick={() => open.mutate()}
        data-testid="quick-open-queue"
      >
        Open the queue
      </Button>
    </footer>
  );
}

function Open({ id, handle }: { id: string; handle: DeskHandle }) {
  const { desk, does, error } = handle;
  const detail = useQuery(approvalQueryOptions(id));
  useShown(detail.data, does);
  if (detail.error && !detail.data)
    return (
      <ErrorState
        title="The approval could not be read"
        error={detail.error}
        onRetry={() => void detail.refetch()}
        compact
      />
    );
  if (!detail.data) return <Skeleton label="the approval" shape="text" rows={6} />;
  return (
    <>
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolling region must be reachable by keyboard */}
      <div className={classes.quickBody} tabIndex={0} role="region" aria-label="Contents">
        <Brief detail={detail.data} target={desk.target} />
      </div>
      <DecisionBar desk={desk} does={does} detail={detail.data} error={error} />
    </>
  );
}

/** The same facts as in the main window, in a narrow column and without ways out of it. */
function Brief({ detail, target }: { detail: ApprovalDetail; target: string | null }) {
  const { row, shown } = detail;
  return (
    <>
      <div className={classes.title}>
        <h2>{row.sentence}</h2>
        <ExpiryRing row={row} />
      </div>
      <Facts>
        <Fact name="Runs on">
          <span className="mono">{target ?? row.target ?? "what its route chooses"}</span>
        </Fact>
        <Fact name="At most">
          <strong>
            <Money value={row.max_cost} absent="Nobody knows what it may cost" />
          </strong>
        </Fact>
        <Fact name="Asked by">
          {row.submitter} <span className="muted">· {row.origin}</span>
        </Fact>
      </Facts>
      {suspicions(shown ?? "").map((sentence) => (
        <p key={sentence} className={classes.warning} role="note">
          {sentence}
        </p>
      ))}
      {shown === null ? null : <MonoBox label="The request" text={shown} maxHeight={220} />}
    </>
  );
}

function useQuickKeys({ desk, does }: DeskHandle): void {
  const { mutate: close } = useMutation(closeQuickMutationOptions());
  const stage = useLatest(desk.stage.kind);
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "j", label: "Next approval", run: () => does({ type: "move", by: 1 }) },
      { keys: "k", label: "Previous approval", run: () => does({ type: "move", by: -1 }) },
      { keys: "a", label: "Approve (then Enter)", run: () => does({ type: "approve" }) },
      { keys: "r", label: "Reject with a reason", run: () => does({ type: "reject" }) },
      { keys: "u", label: "Take the last decision back", run: () => does({ type: "undo" }) },
      {
        keys: "escape",
        label: "Do not decide now, or close",
        run: () => (stage.current === "reading" ? close() : does({ type: "cancel" })),
      },
    ],
    [does, close, stage],
  );
  useShortcuts("Quick approve", shortcuts);
}

function rowId(row: ApprovalRow): string {
  return row.id;
}

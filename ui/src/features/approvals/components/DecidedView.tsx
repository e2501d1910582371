import { IconGavel } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useKeysetList } from "@/api/keyset";
import { EmptyState } from "@/components/EmptyState";
import { KeysetTable } from "@/components/KeysetTable";
import { ErrorState } from "@/components/ErrorState";
import live from "@/components/LiveList.module.css";
import { Sheet, SheetHost } from "@/components/Sheet";
import { Skeleton } from "@/components/Skeletons";
import { DECIDED_MIN_WIDTH, decidedColumns } from "../columns";
import type { ApprovalPage, ApprovalRow } from "@/bindings";
import { approvalQueryOptions, DECIDED, fetchApprovals, headKey, olderKey } from "../queries";
import { Contents } from "./Contents";

type Props = { openId: string | undefined; onOpen: (id: string | undefined) => void };

/** What no longer waits: who decided when and why, newest first. */
export function DecidedView({ openId, onOpen }: Props) {
  const list = useKeysetList<ApprovalRow, ApprovalPage>({
    headKey: headKey(DECIDED),
    olderKey: (cursor) => olderKey(DECIDED, cursor),
    fetchPage: (cursor) => fetchApprovals(DECIDED, cursor),
    rowId,
  });
  const { rows } = list;
  return (
    <div className={live.card}>
      <SheetHost
        sheet={
          openId === undefined ? null : (
            <DecidedSheet id={openId} onClose={() => onOpen(undefined)} />
          )
        }
      >
        <div className={live.frame}>
          <KeysetTable
            list={list}
            noun="approval"
            label="Decided approvals"
            columns={decidedColumns}
            rowId={rowId}
            minWidth={DECIDED_MIN_WIDTH}
            rowTestId="decided-row"
            openId={openId}
            onOpen={(row) => onOpen(row.id)}
            {...(list.hasMore ? {} : { totalCount: rows.length })}
            empty={
              <EmptyState
                icon={IconGavel}
                title="Each decision will stand here"
                data-testid="decided-empty"
              >
                With who decided, when, and why.
              </EmptyState>
            }
            data-testid="decided-table"
          />
        </div>
      </SheetHost>
    </div>
  );
}

function DecidedSheet({ id, onClose }: { id: string; onClose: () => void }) {
  const detail = useQuery(approvalQueryOptions(id));
  return (
    <Sheet
      label={`Approval ${id}`}
      title={detail.data?.row.subject ?? "Approval"}
      onClose={onClose}
      data-testid="decided-detail"
    >
      {detail.data ? (
        <Contents detail={detail.data} target={null} />
      ) : detail.error ? (
        <ErrorState
          title="The approval could not be read"
          error={detail.error}
          onRetry={() => void detail.refetch()}
          compact
        />
      ) : (
        <Skeleton label="the approval" shape="text" rows={10} />
      )}
    </Sheet>
  );
}

function rowId(row: ApprovalRow): string {
  return row.id;
}

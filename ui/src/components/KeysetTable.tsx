import type { ComponentProps } from "react";
import { plural } from "@/lib/numbers";
import { DataTable } from "./DataTable";
import { ErrorState } from "./ErrorState";
import { Skeleton } from "./Skeletons";

/** What the table needs to know of a list that is read page by page; `useKeysetList` gives it. */
type List<Row> = {
  rows: Row[];
  isPending: boolean;
  error: Error | null;
  refetch: () => void;
  hasMore: boolean;
  fetchMore: () => void;
  isFetchingMore: boolean;
};

type Props<Row extends object> = Omit<
  ComponentProps<typeof DataTable<Row>>,
  "rows" | "onEndReached" | "footer" | "pageKeys"
> & {
  list: List<Row>;
  /** One row in a word, e.g. "change". */
  noun: string;
  /** More of them, where an s is not enough: "deliveries". */
  nouns?: string;
};

/** Under this many rows the end of a list is in sight, and nobody needs to be told of it. */
const SHORT_LIST_ROWS = 20;

/** The one list a screen is about, read page by page: its rows, or that they are being read, or why they cannot be. */
export function KeysetTable<Row extends object>(props: Props<Row>) {
  const { list, noun, nouns = `${noun}s`, ...table } = props;
  if (list.isPending) return <Skeleton label={`the ${nouns}`} shape="rows" rows={16} />;
  if (list.error && list.rows.length === 0) {
    return (
      <ErrorState
        title={`The ${nouns} could not be read`}
        error={list.error}
        onRetry={list.refetch}
      />
    );
  }
  return (
    <DataTable
      {...table}
      rows={list.rows}
      onEndReached={list.fetchMore}
      footer={footer(list, noun, nouns)}
      pageKeys
    />
  );
}

function footer(list: List<object>, noun: string, nouns: string): string | null {
  const count = list.rows.length;
  if (count === 0) return null;
  if (list.error) return `The older ${nouns} could not be read: ${list.error.message}`;
  if (list.hasMore) {
    return list.isFetchingMore ? `Reading older ${nouns}…` : `Scroll for older ${nouns}`;
  }
  return count > SHORT_LIST_ROWS ? `${plural(count, noun, nouns)}, that is all` : null;
}

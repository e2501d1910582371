import { Button, Checkbox, SegmentedControl, Select, Textarea, TextInput } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { ErrorState } from "@/components/ErrorState";
import { NumberField } from "@/components/NumberField";
import { RelativeTime } from "@/components/RelativeTime";
import { Skeleton } from "@/components/Skeletons";
import { RequestStatusBadge } from "@/components/StatusBadge";
import { parseTags, pastRequestText } from "../dryRun";
import { keepOwnUndo } from "../ownUndo";
import { recentRequestsQueryOptions } from "../queries";
import type { DryRun } from "../useDryRun";
import { DryRunResult } from "./DryRunResult";
import classes from "./DryRunPanel.module.css";

type Props = {
  operation: string;
  dryRun: DryRun;
  /** Opens it and brings it into sight. */
  onOpen: () => void;
};

/** Sends an imagined or an earlier request through the draft: where it would go, why, and what it may cost. */
export function DryRunPanel({ operation, dryRun, onOpen }: Props) {
  const { opened, setOpened, form, patch } = dryRun;
  return (
    <div className={classes.panel} data-testid="dry-run">
      <Button
        variant="default"
        size="compact-sm"
        aria-expanded={opened}
        leftSection={
          opened ? (
            <IconChevronDown size={14} aria-hidden />
          ) : (
            <IconChevronRight size={14} aria-hidden />
          )
        }
        onClick={() => (opened ? setOpened(false) : onOpen())}
        title="Dry run (S)"
        data-testid="dry-run-toggle"
      >
        {opened ? "Close the dry run" : "Try a request"}
      </Button>
      {opened ? (
        <>
          <SegmentedControl
            size="xs"
            data={[
              { value: "described", label: "Describe a request" },
              { value: "past", label: "Take an earlier one" },
            ]}
            value={form.kind}
            onChange={(kind) => patch({ kind: kind === "past" ? "past" : "described" })}
            aria-label="Which request"
            data-testid="dry-run-kind"
          />
          {form.kind === "past" ? (
            <PastRequest operation={operation} dryRun={dryRun} />
          ) : (
            <Description dryRun={dryRun} />
          )}
          <Result dryRun={dryRun} />
        </>
      ) : null}
    </div>
  );
}

/** What an imagined request has or has not. */
const TRAITS = [
  { field: "has_images", label: "Pictures", testId: "dry-run-images" },
  { field: "has_tools", label: "Tools", testId: "dry-run-tools" },
  { field: "streamed", label: "Streamed", testId: "dry-run-streamed" },
] as const;

function Description({ dryRun }: { dryRun: DryRun }) {
  const { form, patch } = dryRun;
  return (
    <div
      className={classes.form}
      role="group"
      aria-label="The request"
      onKeyDownCapture={keepOwnUndo}
    >
      <Textarea
        className={classes.wide}
        label="Message"
        autosize
        minRows={2}
        maxRows={6}
        value={form.message}
        onChange={(event) => patch({ message: event.currentTarget.value })}
        placeholder="What a person might ask. Its tokens are counted; it is sent nowhere."
        data-testid="dry-run-message"
      />
      <NumberField
        label="Input tokens"
        value={form.input_tokens}
        placeholder="counted from the message"
        onChange={(input_tokens) => patch({ input_tokens })}
        data-testid="dry-run-tokens"
      />
      <NumberField
        label="Longest answer, tokens"
        value={form.max_output_tokens}
        placeholder="4096"
        onChange={(max_output_tokens) => patch({ max_output_tokens })}
        data-testid="dry-run-max-output"
      />
      <TextInput
        label="User"
        value={form.user}
        onChange={(event) => patch({ user: event.currentTarget.value })}
        placeholder="none"
        autoComplete="off"
        data-testid="dry-run-user"
      />
      <TextInput
        label="Tags"
        value={form.tags}
        onChange={(event) => patch({ tags: event.currentTarget.value })}
        placeholder="team=research, ticket=T-1042"
        error={parseTags(form.tags).problem}
        autoComplete="off"
        data-testid="dry-run-tags"
      />
      <div className={classes.checks}>
        {TRAITS.map(({ field, label, testId }) => (
          <Checkbox
            key={field}
            size="xs"
            label={label}
            checked={form[field]}
            onChange={(event) => patch({ [field]: event.currentTarget.checked })}
            data-testid={testId}
          />
        ))}
      </div>
    </div>
  );
}

function PastRequest({ operation, dryRun }: Omit<Props, "onOpen">) {
  const query = useQuery(recentRequestsQueryOptions(operation));
  const rows = query.data?.rows ?? [];
  if (query.error && !query.data) {
    return (
      <ErrorState
        title="The last requests could not be read"
        error={query.error}
        onRetry={() => void query.refetch()}
        compact
      />
    );
  }
  if (query.data?.rows.length === 0) {
    return (
      <p className="muted" data-testid="dry-run-no-requests">
        The log has no request of this operation yet. Describe one instead.
      </p>
    );
  }
  const chosen = dryRun.form.request_id;
  const gone = chosen !== null && !rows.some((row) => row.id === chosen);
  return (
    <Select
      w="100%"
      label="Request"
      description="The last ones of this operation."
      placeholder={query.isPending ? "Reading the log…" : "Choose a request"}
      data={[
        ...rows.map((row) => ({ value: row.id, label: pastRequestText(row) })),
        // Newer ones have pushed it off the list; it stays chosen.
        ...(gone ? [{ value: chosen, label: chosen }] : []),
      ]}
      value={chosen}
      onChange={(request_id) => dryRun.patch({ request_id })}
      renderOption={({ option }) => {
        const row = rows.find((known) => known.id === option.value);
        return row ? (
          <span className={classes.option}>
            <span className="muted tabular">
              <RelativeTime value={row.started_at} />
            </span>
            <span className="ellipsis">{pastRequestText(row)}</span>
            <RequestStatusBadge status={row.status} />
          </span>
        ) : (
          option.label
        );
      }}
      comboboxProps={{ width: 520, position: "bottom-start" }}
      maxDropdownHeight={300}
      data-testid="dry-run-past"
    />
  );
}

function Result({ dryRun }: { dryRun: DryRun }) {
  const { result, asked } = dryRun;
  if (!asked) return null;
  if (result.data) return <DryRunResult simulation={result.data} waiting={result.isFetching} />;
  if (result.error) {
    return (
      <ErrorState
        title="The dry run could not be made"
        error={result.error}
        onRetry={() => void result.refetch()}
        compact
      />
    );
  }
  return <Skeleton label="the dry run" shape="text" rows={6} />;
}

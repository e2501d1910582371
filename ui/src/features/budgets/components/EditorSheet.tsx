import { ActionIcon, Autocomplete, Button, Select, Switch, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { CommandError } from "@/api/call";
import { setBudgetMutationOptions } from "@/api/mutations";
import type { Budget, BudgetDraft, BudgetPreview } from "@/bindings";
import { Sheet } from "@/components/Sheet";
import { PERIODS } from "@/lib/budget";
import { notifySuccess, notifyUndo } from "@/lib/notices";
import { plural } from "@/lib/numbers";
import { displayKeys, type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import classes from "../budgets.module.css";
import { countChanges, hasValue, NEW_BUDGET, toDraft, type TypedBudget, typedOf } from "../draft";
import { ACTIONS, SCOPE_CHOICES } from "../model";
import { budgetPreviewQueryOptions } from "../queries";
import { PreviewBody } from "./PreviewBody";
import { useScopeValues } from "./useScopeValues";

/** Typing is let finish before the preview is asked. */
const SETTLE_MS = 200;

const SEVERITIES = [
  { value: "info", label: "Info" },
  { value: "warning", label: "Warning" },
  { value: "critical", label: "Critical" },
];

type Props = {
  budget: Budget | undefined;
  /** What a new one begins with, beside the usual. */
  start?: Partial<TypedBudget> | undefined;
  onDone: (id: string) => void;
  onClose: () => void;
};

/** A budget as a draft: nothing holds before Apply, and the preview says what would. */
export function EditorSheet({ budget, start, onDone, onClose }: Props) {
  const [typed, setTyped] = useState<TypedBudget>(() =>
    budget ? typedOf(budget) : { ...NEW_BUDGET, ...start },
  );
  const { draft, faults } = toDraft(typed, budget);
  const changes = countChanges(typed, budget);
  const typedRight = Object.keys(faults).length === 0;
  const preview = usePreview(draft, changes > 0 && typedRight);
  const apply = useMutation(setBudgetMutationOptions());
  const undo = useMutation(setBudgetMutationOptions());
  const problems = problemsOf(faults, preview.data, apply.error);
  const blocked =
    changes === 0 || !typedRight || !preview.settled || (preview.data?.problems.length ?? 0) > 0;

  const change = (patch: Partial<TypedBudget>) => {
    setTyped((before) => ({ ...before, ...patch }));
    apply.reset();
  };
  const discard = () => {
    setTyped(budget ? typedOf(budget) : NEW_BUDGET);
    apply.reset();
    if (!budget) onClose();
  };
  const submit = () => {
    if (blocked || apply.isPending) return;
    apply.mutate(draft, {
      onSuccess: (applied) => {
        // Somebody else has to approve it first; a notice says so.
        if (applied === null) return onClose();
        onDone(applied.id);
        if (budget) {
          notifyUndo(
            `The budget ${applied.name} is changed`,
            () => undo.mutateAsync(toDraft(typedOf(budget), applied).draft).catch(() => undefined),
            "It holds from the next request on.",
          );
        } else notifySuccess(`The budget ${applied.name} holds`, "From the next request on.");
      },
    });
  };
  useDraftKeys({ discard, submit });

  return (
    <Sheet
      label={budget ? `Edit the budget ${budget.name}` : "New budget"}
      title={budget ? `Edit ${budget.name}` : "New budget"}
      onClose={onClose}
      footer={
        <div className={classes.footer}>
          <PreviewBody
            preview={preview.data}
            error={apply.error ?? preview.error}
            changed={changes > 0}
            faulty={!typedRight}
          />
          <div className={classes.draftBar} data-testid="draft-bar">
            <span className={classes.count} role="status">
              {plural(changes, "change")}
            </span>
            <Button
              variant="subtle"
              color="gray"
              h={30}
              onClick={discard}
              disabled={budget !== undefined && changes === 0}
              title={`Discard (${displayKeys("mod+shift+backspace")})`}
              data-testid="budget-discard"
            >
              Discard
            </Button>
            <Button
              h={30}
              loading={apply.isPending}
              disabled={blocked}
              onClick={submit}
              title={`Apply (${displayKeys("mod+s")})`}
              data-testid="budget-apply"
            >
              Apply
            </Button>
          </div>
        </div>
      }
      data-testid="budget-editor"
    >
      <form
        className={classes.form}
        noValidate
        aria-label={budget ? `Budget ${budget.name}` : "New budget"}
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          submit();
        }}
      >
        <Fields typed={typed} problems={problems} fixed={budget !== undefined} onChange={change} />
        <button type="submit" hidden aria-hidden tabIndex={-1} />
      </form>
    </Sheet>
  );
}

type FieldsProps = {
  typed: TypedBudget;
  problems: Readonly<Record<string, string>>;
  /** Scope, period and zone stay as they are: what was counted would mean something else. */
  fixed: boolean;
  onChange: (patch: Partial<TypedBudget>) => void;
};

function Fields({ typed, problems, fixed, onChange }: FieldsProps) {
  const values = useScopeValues(typed.kind);
  const action = ACTIONS.find(({ value }) => value === typed.action);
  return (
    <>
      <TextInput
        label="Name"
        value={typed.name}
        onChange={(event) => onChange({ name: event.currentTarget.value })}
        error={problems["name"]}
        maxLength={80}
        autoComplete="off"
        data-testid="budget-name"
      />
      <div className={classes.row}>
        <Select
          label="Counts"
          data={SCOPE_CHOICES}
          value={typed.kind}
          onChange={(kind) => {
            const choice = SCOPE_CHOICES.find(({ value }) => value === kind);
            if (choice) onChange({ kind: choice.value, value: "" });
          }}
          allowDeselect={false}
          disabled={fixed}
          error={hasValue(typed.kind) ? undefined : problems["scope"]}
          data-testid="budget-scope"
        />
        {hasValue(typed.kind) && values.closed ? (
          <Select
            label={values.label}
            data={values.choices}
            value={typed.value === "" ? null : typed.value}
            onChange={(value) => onChange({ value: value ?? "" })}
            searchable
            disabled={fixed}
            error={problems["scope"]}
            data-testid="budget-scope-value"
          />
        ) : null}
        {hasValue(typed.kind) && !values.closed ? (
          <Autocomplete
            label={values.label}
            data={values.choices}
            value={typed.value}
            onChange={(value) => onChange({ value })}
            placeholder={values.placeholder}
            disabled={fixed}
            error={problems["scope"]}
            data-testid="budget-scope-value"
          />
        ) : null}
      </div>
      <div className={classes.row}>
        <Select
          label="Begins anew each"
          data={[...PERIODS]}
          value={typed.period}
          onChange={(period) => {
            const choice = PERIODS.find(({ value }) => value === period);
            if (choice) onChange({ period: choice.value });
          }}
          allowDeselect={false}
          disabled={fixed}
          data-testid="budget-period"
        />
        <Autocomplete
          label="Midnight in"
          data={[...ZONES]}
          limit={20}
          value={typed.zone}
          onChange={(zone) => onChange({ zone })}
          disabled={fixed}
          error={problems["zone"]}
          data-testid="budget-zone"
        />
      </div>
      {fixed ? (
        <p className={classes.caption}>
          What it counts and when it begins anew stay as they are: what was counted would mean
          something else. Make another budget instead.
        </p>
      ) : null}
      <div className={classes.row}>
        <TextInput
          label="Limit in US dollars"
          value={typed.usd}
          onChange={(event) => onChange({ usd: event.currentTarget.value })}
          inputMode="decimal"
          placeholder="none"
          leftSection="$"
          autoComplete="off"
          error={problems["limits.cost"] ?? problems["limits"]}
          data-testid="budget-usd"
        />
        <TextInput
          label="Tokens"
          value={typed.tokens}
          onChange={(event) => onChange({ tokens: event.currentTarget.value })}
          inputMode="numeric"
          placeholder="none"
          autoComplete="off"
          error={problems["limits.tokens"]}
          data-testid="budget-tokens"
        />
        <TextInput
          label="Requests"
          value={typed.requests}
          onChange={(event) => onChange({ requests: event.currentTarget.value })}
          inputMode="numeric"
          placeholder="none"
          autoComplete="off"
          error={problems["limits.requests"]}
          data-testid="budget-requests"
        />
      </div>
      <Select
        label="At the limit"
        description={action?.says}
        data={ACTIONS.map(({ value, label }) => ({ value, label }))}
        value={typed.action}
        onChange={(value) => {
          const choice = ACTIONS.find((known) => known.value === value);
          if (choice) onChange({ action: choice.value });
        }}
        allowDeselect={false}
        data-testid="budget-action"
      />
      <TextInput
        label="Can be passed by at most"
        description="Requests hold what they usually cost, so that honest traffic is not refused for what it could cost. With 0 each holds the most it could cost, and the limit is never passed."
        value={typed.overrun}
        onChange={(event) => onChange({ overrun: event.currentTarget.value })}
        inputMode="numeric"
        rightSection="%"
        autoComplete="off"
        error={problems["overrun_percent"]}
        className={classes.narrow}
        data-testid="budget-overrun"
      />
      <Thresholds typed={typed} problem={problems["thresholds"]} onChange={onChange} />
      <Switch
        label="On"
        description="Off it counts nothing and refuses nothing."
        checked={typed.enabled}
        onChange={(event) => onChange({ enabled: event.currentTarget.checked })}
        data-testid="budget-enabled"
      />
      <TextInput
        label="Reason (optional)"
        description="It stands in the history."
        value={typed.reason}
        onChange={(event) => onChange({ reason: event.currentTarget.value })}
        maxLength={500}
        data-testid="budget-reason"
      />
    </>
  );
}

/** Shares of the limit that somebody is told of, once per period each. */
function Thresholds({
  typed,
  problem,
  onChange,
}: {
  typed: TypedBudget;
  problem: string | undefined;
  onChange: (patch: Partial<TypedBudget>) => void;
}) {
  const { thresholds } = typed;
  return (
    <fieldset className={classes.thresholds}>
      <legend>Tell somebody, once per period, at</legend>
      {thresholds.map((threshold, index) => (
        // oxlint-disable-next-line react/no-array-index-key -- a line has no name but its place
        <div key={index} className={classes.thresholdRow}>
          <TextInput
            size="xs"
            aria-label={`Threshold ${index + 1}`}
            value={threshold.percent}
            onChange={(event) =>
              onChange({
                thresholds: thresholds.with(index, {
                  ...threshold,
                  percent: event.currentTarget.value,
                }),
              })
            }
            inputMode="numeric"
            rightSection="%"
            error={problem !== undefined}
            data-testid={`budget-threshold-${index}`}
          />
          <Select
            size="xs"
            aria-label={`Severity of threshold ${index + 1}`}
            data={SEVERITIES}
            value={threshold.severity}
            onChange={(severity) => {
              if (severity === "info" || severity === "warning" || severity === "critical")
                onChange({ thresholds: thresholds.with(index, { ...threshold, severity }) });
            }}
            allowDeselect={false}
          />
          <ActionIcon
            aria-label={`Remove threshold ${index + 1}`}
            onClick={() => onChange({ thresholds: thresholds.toSpliced(index, 1) })}
          >
            <IconX size={14} aria-hidden />
          </ActionIcon>
        </div>
      ))}
      {problem === undefined ? null : (
        <p className={classes.problem} role="alert">
          {problem}
        </p>
      )}
      {thresholds.length >= 8 ? null : (
        <Button
          variant="subtle"
          size="compact-sm"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() =>
            onChange({ thresholds: [...thresholds, { percent: "", severity: "warning" }] })
          }
          data-testid="budget-threshold-add"
        >
          Add
        </Button>
      )}
    </fieldset>
  );
}

/** The preview of the draft once typing has settled. */
function usePreview(draft: BudgetDraft, enabled: boolean) {
  // The reason changes nothing, so it is not asked about.
  const wanted = JSON.stringify({ ...draft, reason: null });
  const [text] = useDebouncedValue(wanted, SETTLE_MS);
  const asked = useMemo(() => JSON.parse(text) as BudgetDraft, [text]);
  const query = useQuery({ ...budgetPreviewQueryOptions(asked), enabled });
  return {
    data: enabled ? query.data : undefined,
    error: enabled ? query.error : null,
    settled: text === wanted && !query.isPlaceholderData && query.data !== undefined,
  };
}

/** By field: what was typed wrong, what the preview says, and why it was refused. */
function problemsOf(
  faults: Readonly<Record<string, string>>,
  preview: BudgetPreview | undefined,
  refused: Error | null,
): Record<string, string> {
  const told = [
    ...(preview?.problems ?? []),
    ...(refused instanceof CommandError ? refused.details : []),
  ];
  return { ...Object.fromEntries(told.map(({ field, message }) => [field, message])), ...faults };
}

function useDraftKeys(run: { discard: () => void; submit: () => void }): void {
  const latest = useLatest(run);
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "mod+s", label: "Apply the draft", run: () => latest.current.submit() },
      {
        keys: "mod+shift+backspace",
        label: "Discard the draft",
        run: () => latest.current.discard(),
      },
    ],
    [latest],
  );
  useShortcuts("Budget draft", shortcuts);
}

const ZONES: readonly string[] = ["UTC", ...Intl.supportedValuesOf("timeZone")];

import { Button, Select, UnstyledButton } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, type KeyboardEvent, useState } from "react";
import { fieldErrors } from "@/api/call";
import type { DrillFault, DrillInput } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { NumberField } from "@/components/NumberField";
import { Panel } from "@/components/Panel";
import { drillProblems, FAULTS, faultWords, LENGTHS } from "../model";
import { startDrillMutationOptions } from "../mutations";
import classes from "./drills.module.css";

type Props = {
  models: readonly string[];
  operations: readonly string[];
  first: DrillInput;
  /** A drill runs: there is one at a time. */
  running: boolean;
};

/** What goes wrong, for how long, and under which requests. */
export function DrillForm({ models, operations, first, running }: Props) {
  const [input, setInput] = useState(first);
  const [tried, setTried] = useState(false);
  const start = useMutation(startDrillMutationOptions());
  const change = (patch: Partial<DrillInput>) => {
    setInput((before) => ({ ...before, ...patch }));
    start.reset();
  };
  const problems = tried ? drillProblems(input) : {};
  const refused = fieldErrors(start.error);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(drillProblems(input)).length === 0) start.mutate(input);
  };
  return (
    <Panel title="What goes wrong">
      <form className={classes.form} onSubmit={submit} data-testid="drill-form">
        <FaultChoice value={input.fault} onChange={(fault) => change({ fault })} />
        <div className={classes.fields}>
          <Select
            label="Simulated model"
            description="The one that goes wrong"
            data={[...models]}
            value={input.model === "" ? null : input.model}
            onChange={(model) => change({ model: model ?? "" })}
            error={problems.model ?? refused["model"]}
            data-testid="drill-model"
          />
          {faultWords(input.fault).shared ? (
            <NumberField
              label="Share of its calls"
              description="The others are answered"
              value={input.percent}
              onChange={(percent) => change({ percent: percent ?? 0 })}
              unit="%"
              error={problems.percent}
              data-testid="drill-percent"
            />
          ) : null}
          <Select
            label="For how long"
            description="It ends by itself"
            data={LENGTHS.map(({ seconds, label }) => ({ value: String(seconds), label }))}
            value={String(input.seconds)}
            onChange={(seconds) => change({ seconds: Number(seconds) })}
            data-testid="drill-seconds"
          />
          <NumberField
            label="Requests per second"
            description="0: only your own traffic"
            value={input.requests_per_second}
            onChange={(rate) => change({ requests_per_second: rate ?? 0 })}
            unit="/s"
            error={problems.rate}
            data-testid="drill-rate"
          />
          <Select
            label="As requests of"
            description="Its route is not touched"
            data={[...operations]}
            value={input.operation === "" ? null : input.operation}
            onChange={(operation) => change({ operation: operation ?? "" })}
            error={problems.operation ?? refused["operation"]}
            searchable
            data-testid="drill-operation"
          />
        </div>
        {start.error && !refused["model"] && !refused["operation"] ? (
          <ErrorState title="The drill did not start" error={start.error} compact />
        ) : null}
        <Button
          type="submit"
          loading={start.isPending}
          disabled={running}
          leftSection={<IconPlayerPlay size={14} aria-hidden />}
          title={running ? "A drill runs; one at a time" : "Start the drill"}
          data-testid="drill-start"
        >
          {running ? "A drill is running" : "Start drill"}
        </Button>
      </form>
    </Panel>
  );
}

type ChoiceProps = { value: DrillFault; onChange: (fault: DrillFault) => void };

/** The four faults as cards; the arrow keys go from one to the next. */
function FaultChoice({ value, onChange }: ChoiceProps) {
  const onKeyDown = (event: KeyboardEvent<HTMLDivElement>) => {
    const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const index = FAULTS.findIndex(({ fault }) => fault === value);
    const next = FAULTS[(index + by + FAULTS.length) % FAULTS.length];
    if (!next) return;
    onChange(next.fault);
    event.currentTarget.querySelector<HTMLElement>(`[data-fault="${next.fault}"]`)?.focus();
  };
  return (
    // oxlint-disable-next-line jsx-a11y/interactive-supports-focus -- the chosen radio inside has the focus
    <div className={classes.faults} role="radiogroup" aria-label="Fault" onKeyDown={onKeyDown}>
      {FAULTS.map(({ fault, word, says }) => (
        <UnstyledButton
          key={fault}
          role="radio"
          aria-checked={fault === value}
          tabIndex={fault === value ? 0 : -1}
          className={classes.fault}
          data-fault={fault}
          onClick={() => onChange(fault)}
          data-testid={`drill-fault-${fault}`}
        >
          <strong>{word}</strong>
          <span>{says}</span>
        </UnstyledButton>
      ))}
    </div>
  );
}

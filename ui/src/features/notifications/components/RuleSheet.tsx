import { Button, MultiSelect, Radio, Select, Switch, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { fieldErrors } from "@/api/call";
import type { AlertChannel, AlertRule } from "@/bindings";
import { Sheet } from "@/components/Sheet";
import { notifySuccess } from "@/lib/notices";
import {
  type RuleFields,
  ruleFieldsOf,
  ruleInputOf,
  SEVERITY_CHOICES,
  severityWord,
  spanWords,
} from "../model";
import { setRuleMutationOptions } from "../mutations";
import classes from "./parts.module.css";
import { Problem } from "./Problem";

type Props = { rule: AlertRule; channels: readonly AlertChannel[]; onClose: () => void };

/** The rule of one kind of alert. */
export function RuleSheet({ rule, channels, onClose }: Props) {
  return (
    <Sheet
      label={`Rule: ${rule.title}`}
      title={rule.title}
      onClose={onClose}
      data-testid="rule-detail"
    >
      <Form key={JSON.stringify(rule)} rule={rule} channels={channels} />
    </Sheet>
  );
}

/** What the backend calls a field, and what the form calls it. */
const FIELDS: Record<string, keyof RuleFields> = {
  window_s: "window",
  quiet: "zone",
  "quiet.from": "from",
  "quiet.until": "until",
  channels: "channels",
  "escalation.after_min": "after_min",
  "escalation.channels": "escalation_channels",
};

function Form({ rule, channels }: Omit<Props, "onClose">) {
  const set = useMutation(setRuleMutationOptions());
  const form = useForm({ initialValues: ruleFieldsOf(rule, ownZone()) });
  const choices = channels.map(({ id, name }) => ({ value: id, label: name }));
  const { values } = form;
  const submit = form.onSubmit((fields) =>
    set.mutate(ruleInputOf(rule.kind, fields), {
      onSuccess: (changed) => notifySuccess(`${changed.title}: the rule is changed`),
      onError: (error) =>
        form.setErrors(
          Object.fromEntries(
            Object.entries(fieldErrors(error)).map(([name, message]) => [
              FIELDS[name] ?? name,
              message,
            ]),
          ),
        ),
    }),
  );
  return (
    <form className={classes.form} onSubmit={submit} autoComplete="off">
      <Switch
        label="Kept and told"
        description={
          rule.can_be_off
            ? "Off, it is not even in the inbox."
            : "It cannot be off: it says that somebody worked past Signalbox."
        }
        disabled={!rule.can_be_off}
        data-testid="rule-enabled"
        {...form.getInputProps("enabled", { type: "checkbox" })}
      />
      <Select
        label="Severity"
        description={`Usually ${severityWord(rule.usual_severity).toLowerCase()}.`}
        data={SEVERITY_CHOICES}
        allowDeselect={false}
        data-testid="rule-severity"
        {...form.getInputProps("severity")}
      />
      <Radio.Group label="Told on" {...form.getInputProps("told")}>
        <div className={classes.line}>
          <Radio
            value="all"
            label="Every channel that takes this severity"
            data-testid="rule-all"
          />
          <Radio value="named" label="These channels" data-testid="rule-named" />
        </div>
      </Radio.Group>
      {values.told === "named" ? (
        <MultiSelect
          aria-label="Channels"
          description="None: it stands in the inbox only."
          data={choices}
          clearable
          data-testid="rule-channels"
          {...form.getInputProps("channels")}
        />
      ) : null}
      <div className={classes.pair}>
        <TextInput
          label="One state is told once per"
          description={`Usually ${spanWords(rule.usual_window_s)}.`}
          inputMode="decimal"
          data-testid="rule-window"
          {...form.getInputProps("window")}
        />
        <Select
          label="Unit"
          description="Of that time."
          data={["minutes", "hours", "days"]}
          allowDeselect={false}
          data-testid="rule-window-unit"
          {...form.getInputProps("window_unit")}
        />
      </div>
      <Optional
        label="Quiet hours"
        description="What is not critical waits until they are over."
        isOn={values.quiet}
        input={form.getInputProps("quiet", { type: "checkbox" })}
        data-testid="rule-quiet"
      >
        <div className={classes.triple}>
          <TextInput
            label="From"
            type="time"
            data-testid="rule-from"
            {...form.getInputProps("from")}
          />
          <TextInput
            label="Until"
            type="time"
            data-testid="rule-until"
            {...form.getInputProps("until")}
          />
          <Select
            label="Time zone"
            data={zones(values.zone)}
            searchable
            allowDeselect={false}
            data-testid="rule-zone"
            {...form.getInputProps("zone")}
          />
        </div>
      </Optional>
      <Optional
        label="Second round"
        description="Other channels are told when nobody acknowledges it."
        isOn={values.escalates}
        input={form.getInputProps("escalates", { type: "checkbox" })}
        data-testid="rule-escalates"
      >
        <div className={classes.pair}>
          <TextInput
            label="After minutes"
            inputMode="numeric"
            data-testid="rule-after"
            {...form.getInputProps("after_min")}
          />
          <MultiSelect
            label="Told then"
            data={choices}
            clearable
            data-testid="rule-escalation-channels"
            {...form.getInputProps("escalation_channels")}
          />
        </div>
      </Optional>
      <TextInput
        label="Reason (optional)"
        description="Stands in the change history."
        {...form.getInputProps("reason")}
      />
      {Object.keys(form.errors).length > 0 ? null : <Problem error={set.error} />}
      <div className={classes.buttons}>
        <Button variant="default" disabled={!form.isDirty()} onClick={form.reset}>
          Discard
        </Button>
        <Button
          type="submit"
          disabled={!form.isDirty()}
          loading={set.isPending}
          data-testid="rule-save"
        >
          Save rule
        </Button>
      </div>
    </form>
  );
}

type OptionalProps = {
  label: string;
  description: string;
  isOn: boolean;
  /** What the form gives its switch. */
  input: object;
  children: ReactNode;
  "data-testid": string;
};

/** A part of the rule that is switched on with its own fields. */
function Optional({ label, description, isOn, input, children, ...rest }: OptionalProps) {
  return (
    <>
      <Switch label={label} description={description} {...rest} {...input} />
      {isOn ? <div className={classes.group}>{children}</div> : null}
    </>
  );
}

/** The zone this computer is in. */
function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Every zone the engine of this window knows, and the one in force. */
function zones(current: string): string[] {
  return [...new Set(["UTC", current, ...Intl.supportedValuesOf("timeZone")])];
}

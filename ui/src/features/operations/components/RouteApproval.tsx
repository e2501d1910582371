import { Checkbox, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ApprovalPolicy } from "@/bindings";
import { NumberField } from "@/components/NumberField";
import { fromDollars, toDollars } from "../dollars";
import type { RouteEditor } from "../useRouteEditor";
import { approvalWhen, secondsText } from "../words";
import { ConditionField } from "./ConditionField";
import classes from "./RouteLimits.module.css";

/** What a policy that is switched on begins with: half a dollar, no waiting, a day. */
const FIRST: ApprovalPolicy = {
  always: false,
  above: "500000000",
  budget_warned: false,
  rule: null,
  hold_s: 0,
  expires_s: 86_400,
};

/** When a person is asked before a request goes out, and how long everybody waits. */
export function RouteApproval({ editor }: { editor: RouteEditor }) {
  const policy = editor.draft.present.approval;
  const set = (approval: ApprovalPolicy | null) =>
    editor.edit({ type: "set", change: { approval } });
  return (
    <div className={classes.cache} role="group" aria-label="Approval by a person">
      <Switch
        checked={policy !== null}
        onChange={(event) => set(event.currentTarget.checked ? FIRST : null)}
        label="Ask a person before requests go out"
        description="Such a request waits in Approvals. Each approval is for one request, to the byte, and good once."
        data-testid="route-approval"
      />
      {policy === null ? null : <Conditions policy={policy} editor={editor} set={set} />}
    </div>
  );
}

type Props = {
  policy: ApprovalPolicy;
  editor: RouteEditor;
  set: (policy: ApprovalPolicy) => void;
};

function Conditions({ policy, editor, set }: Props) {
  const asks =
    policy.always || policy.above !== null || policy.budget_warned || policy.rule !== null;
  return (
    <>
      <Checkbox
        label="Every request"
        checked={policy.always}
        onChange={(event) => set({ ...policy, always: event.currentTarget.checked })}
        data-testid="route-approval-always"
      />
      {policy.always ? null : (
        <>
          <Amount
            value={policy.above}
            error={editor.problemAt("approval.above")}
            onChange={(above) => set({ ...policy, above })}
          />
          <Checkbox
            label="When a budget has passed its warning"
            description="Any budget that pays for the request; from its first warning on."
            checked={policy.budget_warned}
            onChange={(event) => set({ ...policy, budget_warned: event.currentTarget.checked })}
            data-testid="route-approval-budget-warned"
          />
          <Checkbox
            label="When a rule holds"
            description="It also sees operation.criticality, estimate_usd and budget_warned."
            checked={policy.rule !== null}
            onChange={(event) =>
              set({ ...policy, rule: event.currentTarget.checked ? "estimate_usd > 0.5" : null })
            }
            data-testid="route-approval-by-rule"
          />
          {policy.rule === null ? null : (
            <ConditionField
              label="When a person is asked"
              value={policy.rule}
              onChange={(rule) => set({ ...policy, rule })}
              error={editor.problemAt("approval.rule")}
              data-testid="route-approval-rule"
            />
          )}
        </>
      )}
      <div className={classes.ttl}>
        <NumberField
          label="Client waits"
          description="0: it has to come back"
          value={policy.hold_s}
          unit="s"
          width={120}
          onChange={(next) => set({ ...policy, hold_s: next ?? 0 })}
          error={editor.problemAt("approval.hold_s")}
          data-testid="route-approval-hold"
        />
        <NumberField
          label="Expires after"
          description="To decide and to use it"
          value={policy.expires_s / 60}
          unit="min"
          width={120}
          onChange={(next) => set({ ...policy, expires_s: (next ?? 0) * 60 })}
          error={editor.problemAt("approval.expires_s")}
          data-testid="route-approval-expires"
        />
      </div>
      {asks ? (
        <p className="muted">
          A request needs a person {approvalWhen(policy)}. Its approval is good for{" "}
          {secondsText(policy.expires_s)}.
        </p>
      ) : (
        <p className={classes.problem} role="status">
          Nothing is chosen: no request would be asked about.
        </p>
      )}
    </>
  );
}

type AmountProps = {
  value: string | null;
  error: string | undefined;
  onChange: (value: string | null) => void;
};

/** From how many dollars on; what is typed stays as typed while it says the same. */
function Amount({ value, error, onChange }: AmountProps) {
  const [typed, setTyped] = useState<string>();
  const text = typed !== undefined && fromDollars(typed) === value ? typed : toDollars(value);
  return (
    <TextInput
      label="When it may cost more than"
      description="Also where nobody knows the cost. Empty: the cost does not matter."
      leftSection="$"
      styles={{ wrapper: { width: 180 } }}
      value={text}
      onChange={(event) => {
        const next = event.currentTarget.value.replace(",", ".").trim();
        if (!/^\d{0,9}(\.\d{0,9})?$/.test(next)) return;
        setTyped(next);
        onChange(fromDollars(next));
      }}
      onBlur={() => setTyped(undefined)}
      inputMode="decimal"
      autoComplete="off"
      error={error}
      data-testid="route-approval-above"
    />
  );
}

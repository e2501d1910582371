import { Button, Switch } from "@mantine/core";
import { useForm } from "@mantine/form";
import { IconSend } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { AlertChannel } from "@/bindings";
import { ConfirmButton } from "@/components/ConfirmButton";
import { DeliveryBadge } from "@/components/DeliveryBadge";
import { FactSection } from "@/components/Facts";
import { RelativeTime } from "@/components/RelativeTime";
import { Sheet } from "@/components/Sheet";
import { StatusBadge } from "@/components/StatusBadge";
import { notifySuccess } from "@/lib/notices";
import { fieldsOf, inputOf, MEANS } from "../model";
import {
  removeChannelMutationOptions,
  testChannelMutationOptions,
  updateChannelMutationOptions,
} from "../mutations";
import { atFields } from "./AddChannelDialog";
import { ChannelFieldset } from "./ChannelFieldset";
import classes from "./parts.module.css";
import { Problem } from "./Problem";
import { SecretSection } from "./SecretSection";

type Props = { channel: AlertChannel; onClose: () => void };

/** One channel: whether it works, its secret, its fields. */
export function ChannelSheet({ channel, onClose }: Props) {
  const remove = useMutation(removeChannelMutationOptions());
  const isDesktop = channel.means.kind === "desktop";
  return (
    <Sheet
      label={`Channel ${channel.name}`}
      title={channel.name}
      onClose={onClose}
      data-testid="channel-detail"
    >
      <div className={classes.sections}>
        <Trial channel={channel} />
        {channel.secret_need === "none" ? null : <SecretSection channel={channel} />}
        <FactSection title={MEANS[channel.means.kind].word}>
          <Form key={channel.version} channel={channel} />
        </FactSection>
        {isDesktop ? null : (
          <div className={classes.line}>
            <span className={classes.note}>Takes its secret and its place in the rules away.</span>
            <span className={classes.grow} />
            <ConfirmButton
              label="Remove channel"
              title={`Remove ${channel.name}?`}
              consequence="Alerts are no longer told there, and its secret is deleted. What was delivered stays in the list."
              verb="Remove channel"
              onConfirm={() =>
                remove.mutate(
                  { id: channel.id, version: channel.version },
                  {
                    onSuccess: () => {
                      onClose();
                      notifySuccess(`${channel.name} is removed`);
                    },
                  },
                )
              }
              data-testid="channel-remove"
            />
          </div>
        )}
      </div>
    </Sheet>
  );
}

/** Whether it is ready, how the last delivery went, and a trial with its real result. */
function Trial({ channel }: { channel: AlertChannel }) {
  const trial = useMutation(testChannelMutationOptions());
  return (
    <section className={classes.form} aria-label="State">
      <div className={classes.line}>
        <StatusBadge tone={channel.ready ? "ok" : channel.enabled ? "warn" : "neutral"}>
          {channel.problem ?? "Ready"}
        </StatusBadge>
        <span className={classes.grow} />
        <Button
          variant="default"
          leftSection={<IconSend size={14} aria-hidden />}
          loading={trial.isPending}
          disabled={!channel.ready}
          onClick={() => trial.mutate(channel.id)}
          data-testid="channel-test"
        >
          Send a test
        </Button>
      </div>
      {trial.data?.sent ? (
        <p className={classes.good} role="status" data-testid="channel-test-sent">
          The test was delivered.
        </p>
      ) : null}
      {trial.data && !trial.data.sent ? (
        <p className={classes.problem} role="alert" data-testid="channel-test-problem">
          {trial.data.problem}
        </p>
      ) : null}
      <Problem error={trial.error} />
      {channel.last === null ? null : (
        <p className={classes.line}>
          <span className={classes.note}>
            Last delivery <RelativeTime value={channel.last.created_at} />
          </span>
          <DeliveryBadge delivery={channel.last} />
          <Link to="/notifications" search={{ view: "deliveries", channel: channel.id }}>
            All deliveries
          </Link>
        </p>
      )}
    </section>
  );
}

function Form({ channel }: { channel: AlertChannel }) {
  const update = useMutation(updateChannelMutationOptions());
  const form = useForm({
    initialValues: fieldsOf(channel),
    validate: { name: (name) => (name.trim() === "" ? "Give it a name." : null) },
  });
  const submit = form.onSubmit((fields) =>
    update.mutate(
      { id: channel.id, base_version: channel.version, channel: inputOf(fields) },
      {
        onSuccess: (changed) => notifySuccess(`${changed.name} is changed`),
        onError: (error) => form.setErrors(atFields(error)),
      },
    ),
  );
  return (
    <form className={classes.form} onSubmit={submit} autoComplete="off">
      <Switch
        label="Alerts are told here"
        data-testid="channel-enabled"
        {...form.getInputProps("enabled", { type: "checkbox" })}
      />
      <ChannelFieldset kind={channel.means.kind} field={form.getInputProps} />
      {Object.keys(form.errors).length > 0 ? null : <Problem error={update.error} />}
      {form.isDirty() ? (
        <div className={classes.buttons}>
          <Button variant="default" onClick={form.reset}>
            Discard
          </Button>
          <Button type="submit" loading={update.isPending} data-testid="channel-save">
            Save
          </Button>
        </div>
      ) : null}
    </form>
  );
}

import { Button, Modal, SegmentedControl } from "@mantine/core";
import { useForm } from "@mantine/form";
import { useMutation } from "@tanstack/react-query";
import { CommandError, fieldErrors } from "@/api/call";
import type { AlertChannel } from "@/bindings";
import { ADDABLE, flatErrors, inputOf, MEANS, NEW_CHANNEL } from "../model";
import { addChannelMutationOptions } from "../mutations";
import { ChannelFieldset } from "./ChannelFieldset";
import classes from "./parts.module.css";
import { Problem } from "./Problem";

type Props = {
  opened: boolean;
  /** Called with the channel that was added, if one was. */
  onClose: (added?: AlertChannel) => void;
};

/** Asks where alerts shall be told. What is secret is asked for afterwards, on the channel's own sheet. */
export function AddChannelDialog({ opened, onClose }: Props) {
  return (
    <Modal
      opened={opened}
      onClose={() => onClose()}
      title="Add a channel"
      size="lg"
      padding="lg"
      centered={false}
      yOffset="10vh"
      data-testid="channel-add-dialog"
    >
      <Form onAdded={onClose} onCancel={() => onClose()} />
    </Modal>
  );
}

type FormProps = { onAdded: (channel: AlertChannel) => void; onCancel: () => void };

function Form({ onAdded, onCancel }: FormProps) {
  const add = useMutation(addChannelMutationOptions());
  const form = useForm({
    initialValues: NEW_CHANNEL,
    validate: { name: (name) => (name.trim() === "" ? "Give it a name." : null) },
  });
  const { kind } = form.values;
  const submit = form.onSubmit((fields) =>
    add.mutate(inputOf(fields), {
      onSuccess: onAdded,
      onError: (error) => form.setErrors(atFields(error)),
    }),
  );
  return (
    <form className={classes.form} onSubmit={submit} autoComplete="off">
      <SegmentedControl
        data={ADDABLE.map((means) => ({ value: means, label: MEANS[means].word }))}
        value={kind}
        onChange={(value) => form.setFieldValue("kind", value)}
        aria-label="Kind"
        data-testid="channel-kind"
      />
      <p className={classes.note}>{MEANS[kind].about}</p>
      <ChannelFieldset kind={kind} field={form.getInputProps} />
      {Object.keys(form.errors).length > 0 ? null : <Problem error={add.error} />}
      <div className={classes.buttons}>
        <Button variant="default" onClick={onCancel}>
          Cancel
        </Button>
        <Button type="submit" loading={add.isPending} data-testid="channel-add-submit">
          Add channel
        </Button>
      </div>
    </form>
  );
}

/** A taken name is the name's fault, also when the backend names no field. */
export function atFields(error: Error): Record<string, string> {
  const fields = flatErrors(fieldErrors(error));
  return error instanceof CommandError && error.code === "already_exists"
    ? { name: error.message, ...fields }
    : fields;
}

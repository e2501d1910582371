import { Checkbox, Select, Textarea, TextInput } from "@mantine/core";
import type { GetInputPropsReturnType } from "@mantine/form";
import { type ChannelFields, type MeansKind, SECURITY_CHOICES, SEVERITY_CHOICES } from "../model";
import classes from "./parts.module.css";

type Props = {
  kind: MeansKind;
  field: (
    path: keyof ChannelFields,
    options?: { type: "checkbox" | "input" },
  ) => GetInputPropsReturnType;
};

/** The fields of a channel, but for its kind and its secret. */
export function ChannelFieldset({ kind, field }: Props) {
  return (
    <>
      <div className={classes.pair}>
        <TextInput label="Name" placeholder="ops" data-testid="channel-name" {...field("name")} />
        <Select
          label="Told from"
          data={SEVERITY_CHOICES}
          allowDeselect={false}
          data-testid="channel-least"
          {...field("least")}
        />
      </div>
      <MeansFields kind={kind} field={field} />
      {kind === "desktop" ? null : (
        <Checkbox
          label="It is on this computer or in its network"
          description="Only then is a private address called, or one without encryption."
          data-testid="channel-local"
          {...field("local", { type: "checkbox" })}
        />
      )}
    </>
  );
}

function MeansFields({ kind, field }: Props) {
  switch (kind) {
    case "desktop":
      return (
        <Checkbox
          label="Show the sentence"
          description="It may name amounts, and be seen on a locked screen."
          data-testid="channel-shows-text"
          {...field("shows_text", { type: "checkbox" })}
        />
      );
    case "webhook":
      return (
        <TextInput
          label="URL"
          placeholder="https://desk.example.com/hook"
          spellCheck={false}
          data-testid="channel-url"
          {...field("url")}
        />
      );
    case "email":
      return (
        <>
          <div className={classes.pair}>
            <TextInput
              label="Mail server"
              placeholder="smtp.example.com"
              spellCheck={false}
              data-testid="channel-host"
              {...field("host")}
            />
            <TextInput
              label="Port"
              inputMode="numeric"
              data-testid="channel-port"
              {...field("port")}
            />
          </div>
          <div className={classes.pair}>
            <Select
              label="Encryption"
              data={SECURITY_CHOICES}
              allowDeselect={false}
              data-testid="channel-security"
              {...field("security")}
            />
            <TextInput
              label="Who signs in (optional)"
              spellCheck={false}
              autoComplete="off"
              data-testid="channel-username"
              {...field("username")}
            />
          </div>
          <TextInput
            label="Sender"
            placeholder="Signalbox <desk@example.com>"
            spellCheck={false}
            data-testid="channel-from"
            {...field("from")}
          />
          <Textarea
            label="Receivers"
            description="Addresses with commas between them."
            placeholder="ann@example.com, ben@example.com"
            autosize
            minRows={1}
            maxRows={4}
            spellCheck={false}
            data-testid="channel-to"
            {...field("to")}
          />
        </>
      );
    case "discord":
    case "slack":
      return null;
  }
}

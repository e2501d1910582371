import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { createKeyMutationOptions } from "@/api/mutations";
import { CopyButton } from "@/components/CopyButton";
import { StatusBadge } from "@/components/StatusBadge";
import classes from "../FirstRunPage.module.css";

type Props = { baseUrl: string; hasKey: boolean; onDone: () => void };

/** The address for programs, and a key that goes to the clipboard without passing through this page. */
export function KeyStep({ baseUrl, hasKey, onDone }: Props) {
  const [name, setName] = useState("first-program");
  const create = useMutation(createKeyMutationOptions());
  const made = create.data;
  return (
    <>
      <div>
        <h3>Base URL</h3>
        <p className="muted">
          Programs change this address and their key; nothing else in them changes.
        </p>
        <div className={classes.address}>
          <code data-testid="first-run-base-url">{baseUrl}</code>
          <CopyButton text={baseUrl} what="base URL" />
        </div>
      </div>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          create.mutate({ name: name.trim(), scope: {} });
        }}
      >
        <TextInput
          label="Name of the program"
          description="It stands in the logs beside each request."
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          error={create.error?.message}
          maxLength={80}
          autoComplete="off"
          style={{ flex: "1 1 220px" }}
        />
        <Button
          type="submit"
          variant={hasKey ? "default" : "filled"}
          loading={create.isPending}
          disabled={name.trim() === ""}
          data-testid="first-run-create-key"
        >
          {hasKey ? "Create another key" : "Create a key"}
        </Button>
      </form>
      {made ? (
        <div data-testid="first-run-key-made">
          <StatusBadge tone="ok">
            {made.copied
              ? `Key …${made.key.last4} is on your clipboard. It is not shown again.`
              : `Key …${made.key.last4} is saved in ${made.saved_to ?? "a file"}, readable by you only.`}
          </StatusBadge>
        </div>
      ) : null}
      <div className={classes.row}>
        <Button
          variant={hasKey ? "filled" : "subtle"}
          onClick={onDone}
          data-testid="first-run-key-next"
        >
          {hasKey ? "Continue" : "Skip for now"}
        </Button>
        {hasKey ? (
          <Button variant="subtle" renderRoot={(props) => <Link {...props} to="/keys" />}>
            All keys
          </Button>
        ) : null}
      </div>
    </>
  );
}

import { Button } from "@mantine/core";
import { IconKey } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import type { AlertChannel, ChannelSecretNeed } from "@/bindings";
import { MonoBox } from "@/components/MonoBox";
import { RelativeTime } from "@/components/RelativeTime";
import { SecretEntry } from "@/components/SecretEntry";
import {
  pasteSecretMutationOptions,
  renewSigningKeyMutationOptions,
  setSecretMutationOptions,
} from "../mutations";
import classes from "./parts.module.css";
import { Problem } from "./Problem";

const WORDS: Record<ChannelSecretNeed, string> = {
  none: "",
  url: "webhook URL",
  signing_key: "signing key",
  password: "password",
};

/** The channel's secret: that it is set, and the ways to set it. It never comes back to this page. */
export function SecretSection({ channel }: { channel: AlertChannel }) {
  const word = WORDS[channel.secret_need];
  const { secret } = channel;
  return (
    <div className={classes.secret} data-testid="channel-secret-section">
      <p>
        {secret === null ? (
          `The ${word} is not set yet.`
        ) : (
          <>
            The {word} is set
            {channel.secret_need === "password" ? null : (
              <>
                : <span className="mono">{secret.hint}</span>
              </>
            )}
            , <RelativeTime value={secret.set_at} />.
            {secret.previous_until === null ? null : (
              <>
                {" "}
                The one before it signs beside it until{" "}
                <RelativeTime value={secret.previous_until} format="full" />.
              </>
            )}
          </>
        )}
      </p>
      <Entry id={channel.id} word={word} />
      {channel.secret_need === "signing_key" ? <NewKey id={channel.id} /> : null}
    </div>
  );
}

/** From the clipboard, which the page never reads, or typed into a field that is emptied at once. */
function Entry({ id, word }: { id: string; word: string }) {
  const paste = useMutation(pasteSecretMutationOptions());
  const set = useMutation(setSecretMutationOptions());
  return (
    <SecretEntry
      what={word}
      onPaste={() => {
        set.reset();
        paste.mutate(id);
      }}
      onTyped={(secret) => {
        paste.reset();
        set.mutate({ id, secret });
      }}
      pending={paste.isPending ? "paste" : set.isPending ? "typed" : undefined}
      failure={paste.error ?? set.error}
      testId="channel"
    />
  );
}

/** Makes a key here; the backend puts it on the clipboard, and this page never has it. */
function NewKey({ id }: { id: string }) {
  const renew = useMutation(renewSigningKeyMutationOptions());
  const made = renew.data;
  return (
    <>
      <div className={classes.line}>
        <Button
          variant="default"
          leftSection={<IconKey size={14} aria-hidden />}
          loading={renew.isPending}
          onClick={() => renew.mutate(id)}
          data-testid="channel-new-key"
        >
          Make a new key
        </Button>
        <span className={classes.note}>
          It goes to the clipboard, for the program that verifies.
        </span>
      </div>
      {made?.copied ? (
        <p className={classes.good} role="status">
          The new key is on your clipboard now. Give it to the program that verifies.
        </p>
      ) : null}
      {made && !made.copied ? (
        <MonoBox label="File with the key" text={made.saved_to ?? "unknown"} maxHeight={96} />
      ) : null}
      <Problem error={renew.error} />
    </>
  );
}

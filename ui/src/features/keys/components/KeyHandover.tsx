import { Button, Group, Stack } from "@mantine/core";
import { IconClipboardCheck, IconFileText } from "@tabler/icons-react";
import { useEffect, useRef } from "react";
import type { KeyCreated } from "@/bindings";
import { MonoBox } from "@/components/MonoBox";
import { RelativeTime } from "@/components/RelativeTime";
import { maskedKey, scopeWords } from "../model";
import { KEY_VARIABLE } from "@/lib/snippets";
import classes from "./KeyHandover.module.css";

type Props = { created: KeyCreated; onStored: () => void };

/**
 * Where the new key is now. The page never has it, so nothing here can be copied: a copy button would only push the key
 * off the clipboard.
 */
export function KeyHandover({ created, onStored }: Props) {
  const { key, copied, saved_to: savedTo } = created;
  const card = useRef<HTMLDivElement>(null);
  // The submit button that had the focus is gone. The button below must not get it: an Enter held too long would close.
  useEffect(() => card.current?.focus(), []);
  const Icon = copied ? IconClipboardCheck : IconFileText;
  return (
    <Stack gap={16}>
      <div ref={card} className={classes.card} tabIndex={-1} data-testid="key-created">
        <Icon size={28} stroke={1.5} aria-hidden />
        <div className={classes.words}>
          <strong>{copied ? "It is on your clipboard now" : "It is in a file now"}</strong>
          <span>
            <span className="mono">{maskedKey(key)}</span>
            <span className="muted">
              {" "}
              · {key.name} · {scopeWords(key)}
            </span>
          </span>
        </div>
      </div>
      {copied ? (
        <p>
          Paste it where your program keeps its secrets before you copy anything else, for example
          as <code>{KEY_VARIABLE}</code>.
        </p>
      ) : (
        <>
          <p>
            There is no clipboard here. The file can be read by you only: move the key to where your
            program keeps its secrets, then delete the file.
          </p>
          <MonoBox
            label="File with the key"
            text={savedTo ?? "unknown"}
            maxHeight={120}
            data-testid="key-file"
          />
        </>
      )}
      {key.former === null ? null : (
        <p>
          The secret that ends in <span className="mono">{key.former.last4}</span> opens as well
          until <RelativeTime value={key.former.until} format="full" />.
        </p>
      )}
      <p className="muted">
        Signalbox cannot show it again. If it gets lost, rotate the key for another one.
      </p>
      <Group justify="flex-end">
        <Button onClick={onStored} data-testid="key-stored">
          I have stored it
        </Button>
      </Group>
    </Stack>
  );
}

import { ActionIcon, Button, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import { useState } from "react";
import { notifyFailure } from "@/lib/notices";
import { platform } from "@/platform";

const CONFIRM_MS = 1_500;

type Props = {
  /** Never a secret: those are copied by the backend. */
  text: string;
  /** What gets copied, e.g. "base URL"; the button is named after it. */
  what: string;
  /** With its name written out, or the icon alone. */
  labelled?: boolean;
  "data-testid"?: string;
};

/** Copies text and says so in place. */
export function CopyButton({ text, what, labelled = false, "data-testid": testId }: Props) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await platform().copyText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), CONFIRM_MS);
    } catch (error) {
      notifyFailure(
        `The ${what} was not copied`,
        error instanceof Error ? error.message : String(error),
      );
    }
  };
  const icon = copied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />;
  if (labelled) {
    return (
      <Button
        variant="default"
        size="compact-sm"
        leftSection={icon}
        onClick={() => void copy()}
        data-testid={testId}
      >
        {copied ? "Copied" : `Copy ${what}`}
      </Button>
    );
  }
  return (
    <Tooltip label={copied ? "Copied" : `Copy ${what}`}>
      <ActionIcon aria-label={`Copy ${what}`} onClick={() => void copy()} data-testid={testId}>
        {icon}
      </ActionIcon>
    </Tooltip>
  );
}

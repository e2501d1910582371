import { ActionIcon, Tooltip } from "@mantine/core";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import type { ReactNode } from "react";

type Props = {
  /** What the sheet shows one of, e.g. "change". */
  what: string;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** The buttons of a sheet that go to the row above and below, as `[` and `]` do. */
export function SheetSteps({ what, onPrevious, onNext }: Props) {
  return (
    <>
      <Step label={`Previous ${what}`} keys="[" run={onPrevious}>
        <IconChevronUp size={16} aria-hidden />
      </Step>
      <Step label={`Next ${what}`} keys="]" run={onNext}>
        <IconChevronDown size={16} aria-hidden />
      </Step>
    </>
  );
}

type StepProps = {
  label: string;
  keys: string;
  run: (() => void) | undefined;
  children: ReactNode;
};

function Step({ label, keys, run, children }: StepProps) {
  return (
    <Tooltip label={`${label} (${keys})`}>
      <ActionIcon aria-label={label} disabled={run === undefined} onClick={() => run?.()}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

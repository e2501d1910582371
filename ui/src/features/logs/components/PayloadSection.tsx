import { Button } from "@mantine/core";
import { IconEyeOff } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { Payload } from "@/bindings";
import { MonoBox } from "@/components/MonoBox";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import sheet from "./RequestSheet.module.css";
import classes from "./PayloadSection.module.css";

type Props = { payload: Payload | null };

/** What was sent and answered, if it was kept. It is somebody else's text and shown as such. */
export function PayloadSection({ payload }: Props) {
  const [wrap, setWrap] = useState(true);
  const [pretty, setPretty] = useState(true);
  const shortcuts = useMemo<Shortcut[]>(
    () => [{ keys: "w", label: "Wrap long lines", run: () => setWrap((on) => !on) }],
    [],
  );
  useShortcuts("Request", shortcuts);
  return (
    <section className={sheet.section}>
      <h3>Request and answer</h3>
      {payload === null || (payload.request === null && payload.response === null) ? (
        <p className={classes.off} data-testid="bodies-off">
          <IconEyeOff size={16} aria-hidden />
          Bodies are off: Signalbox did not keep what was asked and answered. Usage, cost and times
          above do not need it.
        </p>
      ) : (
        <>
          <div className={classes.controls}>
            <Button variant="default" size="compact-sm" onClick={() => setWrap(!wrap)}>
              {wrap ? "Do not wrap" : "Wrap"}
            </Button>
            <Button variant="default" size="compact-sm" onClick={() => setPretty(!pretty)}>
              {pretty ? "Show raw" : "Show pretty"}
            </Button>
          </div>
          <Body label="Request" text={payload.request} wrap={wrap} pretty={pretty} />
          <Body label="Answer" text={payload.response} wrap={wrap} pretty={pretty} />
        </>
      )}
    </section>
  );
}

type BodyProps = { label: string; text: string | null; wrap: boolean; pretty: boolean };

function Body({ label, text, wrap, pretty }: BodyProps) {
  if (text === null) return null;
  return (
    <div className={classes.body}>
      <h4>{label}</h4>
      <MonoBox
        label={label}
        text={pretty ? prettify(text) : text}
        wrap={wrap}
        maxHeight={420}
        data-testid={`payload-${label.toLowerCase()}`}
      />
    </div>
  );
}

/** Indented when it is JSON, else unchanged. */
function prettify(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

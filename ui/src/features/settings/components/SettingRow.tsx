import { Button } from "@mantine/core";
import { IconArrowBackUp, IconPencil } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useId, useRef, useState } from "react";
import { fieldErrors } from "@/api/call";
import type { Setting } from "@/bindings";
import { StatusBadge } from "@/components/StatusBadge";
import { notifyUndo } from "@/lib/notices";
import { boundsWords, choiceOf, isUsual, labelOf, valuePhrase, valueWords } from "../model";
import { setSettingMutationOptions, showSetting, undoSettingMutationOptions } from "../mutations";
import { SettingControl } from "./SettingControl";
import classes from "./SettingRow.module.css";

type Props = {
  setting: Setting;
  /** A link led to this one: it is marked, in view and has the focus. */
  linked: boolean;
};

/** A setting: what it is, what it does, its control, and the way back to what it usually is. */
export function SettingRow({ setting, linked }: Props) {
  const { name } = setting;
  const id = useId();
  const row = useRef<HTMLDivElement>(null);
  const change = useChange(setting);
  const value = change.draft ?? setting.value;
  const label = labelOf(name);

  // Where the page stands and what has the focus belongs to the document, not to React.
  useEffect(() => {
    if (!linked) return;
    row.current?.scrollIntoView({ block: "center" });
    focusControl(row.current);
  }, [linked]);

  return (
    <div
      ref={row}
      className={classes.row}
      role="group"
      aria-labelledby={`${id}-label`}
      aria-describedby={`${id}-text`}
      data-linked={linked}
      data-testid={`setting-${name}`}
    >
      <div className={classes.about}>
        <div className={classes.title}>
          <h3 id={`${id}-label`}>{label}</h3>
          {isUsual(setting) ? null : (
            <StatusBadge tone="info" icon={IconPencil}>
              Not the usual
            </StatusBadge>
          )}
        </div>
        <p id={`${id}-text`} className={classes.text}>
          {setting.text}
        </p>
        {label === name ? null : <code className={classes.name}>{name}</code>}
      </div>
      <div className={classes.control}>
        <SettingControl setting={setting} value={value} {...change} />
        <Meaning name={name} value={value} />
        <div className={classes.usual}>
          <span>
            usually {valuePhrase(setting, setting.usual)}
            {bounds(setting)}
          </span>
          {isUsual(setting) ? null : (
            <Button
              variant="subtle"
              size="compact-xs"
              leftSection={<IconArrowBackUp size={14} aria-hidden />}
              aria-label={`${label}: back to usual, ${valuePhrase(setting, setting.usual)}`}
              onClick={() => {
                // The button goes away with what it did; the focus must not.
                focusControl(row.current);
                change.onApply(setting.usual);
              }}
              data-testid={`setting-usual-${name}`}
            >
              Back to usual
            </Button>
          )}
        </div>
      </div>
    </div>
  );
}

/** What is typed or on its way, and how it becomes the value: at once, and back again from its notice. */
function useChange(setting: Setting) {
  const [draft, setDraft] = useState<string>();
  const undo = useMutation(undoSettingMutationOptions());
  const save = useMutation({
    ...setSettingMutationOptions(),
    onSuccess: (changed, { setting: before }, _result, { client }) => {
      setDraft(undefined);
      if (changed === null) return;
      showSetting(client, changed);
      notifyUndo(
        `${labelOf(changed.name)}: ${valueWords(changed)}`,
        // What goes wrong shows as a notice of the mutation itself.
        () => undo.mutateAsync({ setting: changed, value: before.value }).catch(() => undefined),
        `It was ${valuePhrase(before)}.`,
      );
    },
    onError: () => {
      // A switch goes back to what holds; what was typed stays to be corrected.
      if (setting.choices.length > 0) setDraft(undefined);
    },
  });
  const onCancel = () => {
    setDraft(undefined);
    save.reset();
  };
  return {
    draft,
    error: save.error ? (fieldErrors(save.error)["value"] ?? save.error.message) : undefined,
    onCancel,
    onType: (value: string) => {
      setDraft(value);
      if (save.error) save.reset();
    },
    onApply: (value: string) => {
      if (value === setting.value) return onCancel();
      // Enter has sent it already when the field is left.
      if (save.isPending && save.variables.value === value) return;
      setDraft(value);
      save.mutate({ setting, value });
    },
  };
}

/** What the chosen value means, where one word cannot say it. */
function Meaning({ name, value }: { name: string; value: string }) {
  const { meaning } = choiceOf(name, value);
  return meaning === "" ? null : <p className={classes.meaning}>{meaning}</p>;
}

function bounds(setting: Setting): string {
  const words = boundsWords(setting);
  return words === undefined ? "" : ` · ${words}`;
}

function focusControl(row: HTMLElement | null): void {
  const control = row?.querySelector<HTMLElement>('input:checked, input:not([type="radio"])');
  control?.focus({ preventScroll: true });
}

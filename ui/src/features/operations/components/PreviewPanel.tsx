import { TextInput } from "@mantine/core";
import { IconAlertTriangle, IconCircleX } from "@tabler/icons-react";
import { CommandError } from "@/api/call";
import type { RoutePreview } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { JsonDiff } from "@/components/JsonDiff";
import { MonthImpact } from "@/components/MonthImpact";
import { Skeleton } from "@/components/Skeletons";
import { keepOwnUndo } from "../ownUndo";
import { fieldWords } from "../problems";
import type { RouteEditor } from "../useRouteEditor";
import { ImpactPanel } from "./ImpactPanel";
import classes from "./RouteSheet.module.css";

/** What the draft would change, what speaks against it, and why it was refused. */
export function PreviewPanel({ editor }: { editor: RouteEditor }) {
  const { preview, previewing, applyError } = editor;
  const refused =
    applyError instanceof CommandError && applyError.code === "conflict" ? null : applyError;
  if (!previewing && !refused) return null;
  return (
    <section className={classes.panel} aria-label="Preview" data-testid="draft-preview-panel">
      {refused ? (
        <p className={classes.problem} role="alert" data-testid="draft-refused">
          <IconCircleX size={16} aria-hidden />
          <span>Nothing was changed. {editor.problems.length > 0 ? null : refused.message}</span>
        </p>
      ) : null}
      <Problems editor={editor} />
      {previewing ? <Preview preview={preview} editor={editor} /> : null}
    </section>
  );
}

/** Every fault with where it is; the fields say it too, but not all of them are in sight. */
function Problems({ editor }: { editor: RouteEditor }) {
  return editor.problems.map(({ field, message }) => {
    const where = fieldWords(field, editor.draft.present);
    return (
      <p
        key={`${field} ${message}`}
        className={classes.problem}
        role="alert"
        data-testid="draft-problem"
      >
        <IconCircleX size={16} aria-hidden />
        <span>
          {where === undefined ? null : <strong>{where}: </strong>}
          {asSentence(message)}
        </span>
      </p>
    );
  });
}

type PreviewProps = { preview: RouteEditor["preview"]; editor: RouteEditor };

function Preview({ preview, editor }: PreviewProps) {
  if (preview.data) return <Answer preview={preview.data} editor={editor} />;
  if (preview.error) {
    return (
      <ErrorState
        title="The preview could not be made"
        error={preview.error}
        onRetry={() => void preview.refetch()}
        compact
      />
    );
  }
  return <Skeleton label="the preview" shape="text" rows={4} />;
}

function Answer({ preview, editor }: { preview: RoutePreview; editor: RouteEditor }) {
  return (
    <>
      <ul className={classes.sentences} data-testid="preview-sentences">
        {preview.sentences.map((sentence) => (
          <li key={sentence}>{asSentence(sentence)}</li>
        ))}
      </ul>
      {preview.warnings.map((warning) => (
        <p key={warning} className={classes.warning}>
          <IconAlertTriangle size={16} aria-hidden />
          <span>{warning}</span>
        </p>
      ))}
      {preview.month && preview.month.days > 0 ? <MonthImpact impact={preview.month} /> : null}
      {preview.impact ? (
        <ImpactPanel impact={preview.impact} />
      ) : preview.problems.length === 0 ? (
        <p className="muted" data-testid="preview-no-impact">
          No request of this operation in the last 24 hours, so there is no impact to estimate.
        </p>
      ) : null}
      <JsonDiff
        before={preview.before}
        after={preview.after}
        label="The route before and after"
        context={2}
      />
      <TextInput
        label="Reason"
        description="Optional; it stands in the change history."
        value={editor.reason}
        onChange={(event) => editor.setReason(event.currentTarget.value)}
        onKeyDown={keepOwnUndo}
        data-testid="draft-reason"
      />
    </>
  );
}

/** The backend words changes as parts of a sentence. A name at the beginning stays as it is written. */
function asSentence(text: string): string {
  const begun = /^[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

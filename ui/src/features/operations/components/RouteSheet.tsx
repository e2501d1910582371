import { Switch } from "@mantine/core";
import { IconFlask } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo, useRef } from "react";
import { targetOptionsQueryOptions } from "@/api/queries";
import type { Operation } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { RelativeTime } from "@/components/RelativeTime";
import { Sheet } from "@/components/Sheet";
import { SheetSteps } from "@/components/SheetSteps";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import { makeTargetCatalogue } from "../targets";
import { type RouteEditor, useRouteEditor } from "../useRouteEditor";
import { capabilityLabel, criticalityLabel, isSimulatable } from "../words";
import { ChainEditor } from "./ChainEditor";
import { ConflictPanel } from "./ConflictPanel";
import { DraftBar } from "./DraftBar";
import { LeaveQuestion } from "./LeaveQuestion";
import { PreviewPanel } from "./PreviewPanel";
import classes from "./RouteSheet.module.css";

type Props = {
  operation: Operation;
  onClose: () => void;
  onPrevious: (() => void) | undefined;
  onNext: (() => void) | undefined;
};

/** The route editor of one operation: edits collect in a draft and are applied as one change. */
export function RouteSheet({ operation, onClose, onPrevious, onNext }: Props) {
  const editor = useRouteEditor(operation);
  const options = useQuery(targetOptionsQueryOptions());
  const catalogue = useMemo(
    () => makeTargetCatalogue(operation, options.data ?? []),
    [operation, options.data],
  );
  const content = useRef<HTMLDivElement>(null);
  useEditorShortcuts(editor, content);
  useFocusOnProblem(editor, content);

  const { present } = editor.draft;
  const noneReady =
    options.data !== undefined &&
    !present.cards.some((card) => card.enabled && catalogue.ready(card).ready);
  return (
    <>
      <Sheet
        label={`Operation ${operation.id}`}
        title={operation.id}
        actions={<SheetSteps what="operation" onPrevious={onPrevious} onNext={onNext} />}
        onClose={onClose}
        footer={
          editor.dirty ? (
            <>
              {editor.conflict ? (
                <ConflictPanel operation={operation} editor={editor} />
              ) : (
                <PreviewPanel editor={editor} />
              )}
              <DraftBar editor={editor} />
            </>
          ) : null
        }
        data-testid="operation-detail"
      >
        <div className={classes.content} ref={content}>
          <p className={classes.lead}>
            {operation.description}{" "}
            <span className="muted">
              {capabilityLabel(operation.capability)} ·{" "}
              {criticalityLabel(operation.criticality).toLowerCase()} criticality · version{" "}
              {operation.version}
              {operation.changed_at ? (
                <>
                  , changed <RelativeTime value={operation.changed_at} />
                </>
              ) : null}
            </span>
          </p>
          <div className={classes.switch}>
            <Switch
              checked={present.enabled}
              onChange={(event) =>
                editor.edit({ type: "setEnabled", enabled: event.currentTarget.checked })
              }
              label="Serve requests for this operation"
              description={
                present.enabled
                  ? "Requests go to the chain below."
                  : "Requests are refused until it is switched on."
              }
              data-testid="route-enabled"
            />
          </div>
          <section aria-label="Chain" className={classes.chain}>
            <h3>
              Chain <span>tried from top to bottom</span>
            </h3>
            {noneReady && isSimulatable(operation.capability) ? (
              <p className={classes.note} data-testid="route-simulated">
                <IconFlask size={16} aria-hidden />
                <span>
                  None of these can answer now. The simulator does, while no provider is connected
                  at all. <Link to="/providers">Set up a provider</Link>
                </span>
              </p>
            ) : null}
            {options.error ? (
              <ErrorState
                title="The possible targets could not be read"
                error={options.error}
                onRetry={() => void options.refetch()}
                compact
              />
            ) : null}
            <ChainEditor editor={editor} catalogue={catalogue} />
          </section>
        </div>
      </Sheet>
      {/* Beside the sheet, so that an Escape in the question is not one for the sheet as well. */}
      <LeaveQuestion operation={operation.id} editor={editor} />
    </>
  );
}

function useEditorShortcuts(editor: RouteEditor, content: React.RefObject<HTMLElement | null>) {
  const actions = useLatest({
    addTarget: () => find(content.current, "route-add-target")?.click(),
    preview: () => editor.setPreviewing((shown) => !shown),
    apply: editor.apply,
    discard: editor.discard,
    undo: () => editor.edit({ type: "undo" }),
    redo: () => editor.edit({ type: "redo" }),
  });
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "a", label: "Add a target", run: () => actions.current.addTarget() },
      // The card that has the focus does this itself; it stands here for the list of shortcuts.
      { keys: "alt+arrowup", label: "Move the target up", run: () => undefined },
      { keys: "alt+arrowdown", label: "Move the target down", run: () => undefined },
      { keys: "mod+shift+p", label: "Preview the draft", run: () => actions.current.preview() },
      { keys: "mod+s", label: "Apply the draft", run: () => actions.current.apply() },
      {
        keys: "mod+shift+backspace",
        label: "Discard the draft",
        run: () => actions.current.discard(),
      },
      { keys: "mod+z", label: "Undo an edit", run: () => actions.current.undo() },
      { keys: "mod+shift+z", label: "Redo an edit", run: () => actions.current.redo() },
    ],
    [actions],
  );
  useShortcuts("Route editor", shortcuts);
}

/** Brings a person to the first faulty field, once per answer that names one. */
function useFocusOnProblem(editor: RouteEditor, content: React.RefObject<HTMLElement | null>) {
  const field = editor.problems[0]?.field;
  // The focus lives in the document, outside of what React keeps.
  useEffect(() => {
    if (field === undefined) return;
    const place = /^targets\[(\d+)\]/.exec(field)?.[1];
    const testId =
      place === undefined ? "route-add-target" : `route-target-select-${Number(place) + 1}`;
    find(content.current, testId)?.focus();
  }, [field, content]);
}

function find(root: HTMLElement | null, testId: string): HTMLElement | null | undefined {
  return root?.querySelector<HTMLElement>(`[data-testid="${testId}"]`);
}

import { Switch } from "@mantine/core";
import { IconFlask } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect, useMemo, useRef } from "react";
import { flushSync } from "react-dom";
import { targetOptionsQueryOptions } from "@/api/queries";
import type { Operation } from "@/bindings";
import { ErrorState } from "@/components/ErrorState";
import { RelativeTime } from "@/components/RelativeTime";
import { Sheet } from "@/components/Sheet";
import { SheetSteps } from "@/components/SheetSteps";
import { type Shortcut, useShortcuts } from "@/lib/shortcuts";
import { useLatest } from "@/lib/useLatest";
import { controlOf } from "../problems";
import { makeTargetCatalogue } from "../targets";
import { useDryRun } from "../useDryRun";
import { type RouteEditor, useRouteEditor } from "../useRouteEditor";
import { capabilityLabel, criticalityLabel, isSimulatable } from "../words";
import { ChainEditor } from "./ChainEditor";
import { ConflictPanel } from "./ConflictPanel";
import { DraftBar } from "./DraftBar";
import { DryRunPanel } from "./DryRunPanel";
import { DryRunStrip } from "./DryRunStrip";
import { LeaveQuestion } from "./LeaveQuestion";
import { PreviewPanel } from "./PreviewPanel";
import { RouteLimits } from "./RouteLimits";
import classes from "./RouteSheet.module.css";
import { RuleList } from "./RuleList";
import { StrategyPicker } from "./StrategyPicker";

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
  const dryRun = useDryRun(editor);
  const content = useRef<HTMLDivElement>(null);
  const openDryRun = () => {
    if (!dryRun.opened) flushSync(() => dryRun.setOpened(true));
    showDryRun(content.current);
  };
  useEditorShortcuts(editor, openDryRun, content);
  useFocusOnProblem(editor, content);

  const { present } = editor.draft;
  const noneReady =
    options.data !== undefined &&
    present.cards.length > 0 &&
    !present.cards.some((card) => card.enabled && catalogue.ready(card).ready);
  return (
    <>
      <Sheet
        label={`Operation ${operation.id}`}
        title={operation.id}
        actions={<SheetSteps what="operation" onPrevious={onPrevious} onNext={onNext} />}
        onClose={onClose}
        footer={
          editor.dirty || dryRun.opened ? (
            <>
              {editor.dirty && editor.conflict ? (
                <ConflictPanel operation={operation} editor={editor} />
              ) : null}
              {editor.dirty && !editor.conflict ? <PreviewPanel editor={editor} /> : null}
              {editor.previewing ? null : (
                <DryRunStrip dryRun={dryRun} onShow={() => showDryRun(content.current)} />
              )}
              {editor.dirty ? <DraftBar editor={editor} /> : null}
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
                editor.edit({ type: "set", change: { enabled: event.currentTarget.checked } })
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
              Chain{" "}
              <span>
                {present.strategy === "priority"
                  ? "tried from top to bottom"
                  : "who may answer; the strategy below picks"}
              </span>
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
          <section aria-label="Picking" className={classes.chain}>
            <h3>
              Picking <span>who is tried first</span>
            </h3>
            <StrategyPicker editor={editor} />
          </section>
          <section aria-label="Rules" className={classes.chain}>
            <h3>
              Rules <span>come before the strategy; the first that holds counts</span>
            </h3>
            <RuleList editor={editor} />
          </section>
          <section aria-label="Limits" className={classes.chain}>
            <h3>Limits</h3>
            <RouteLimits operation={operation} editor={editor} catalogue={catalogue} />
          </section>
          <section aria-label="Dry run" className={classes.chain}>
            <h3>
              Dry run <span>by this draft; nothing is sent or written</span>
            </h3>
            <DryRunPanel operation={operation.id} dryRun={dryRun} onOpen={openDryRun} />
          </section>
        </div>
      </Sheet>
      {/* Beside the sheet, so that an Escape in the question is not one for the sheet as well. */}
      <LeaveQuestion operation={operation.id} editor={editor} />
    </>
  );
}

function useEditorShortcuts(
  editor: RouteEditor,
  openDryRun: () => void,
  content: React.RefObject<HTMLElement | null>,
) {
  const actions = useLatest({
    addTarget: () => find(content.current, "route-add-target")?.click(),
    addRule: () => {
      const button = find(content.current, "route-add-rule");
      // The list hangs on its button, and is hidden where that is out of sight.
      button?.scrollIntoView({ block: "center" });
      button?.click();
    },
    tryRequest: openDryRun,
    preview: () => editor.showPreview(!editor.previewing),
    apply: editor.apply,
    discard: editor.discard,
    undo: () => editor.edit({ type: "undo" }),
    redo: () => editor.edit({ type: "redo" }),
  });
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "a", label: "Add a target", run: () => actions.current.addTarget() },
      // The card that has the focus does these itself; they stand here for the list of shortcuts.
      { keys: "alt+arrowup", label: "Move the target or rule up", run: () => undefined },
      { keys: "alt+arrowdown", label: "Move the target or rule down", run: () => undefined },
      { keys: "d", label: "Duplicate the target, with its settings", run: () => undefined },
      { keys: ".", label: "Switch the target off or on", run: () => undefined },
      { keys: "r", label: "Add a rule", run: () => actions.current.addRule() },
      { keys: "s", label: "Dry run: try a request", run: () => actions.current.tryRequest() },
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

/** Brings a person to the first faulty field when they ask for it, and not while they go on typing. */
function useFocusOnProblem(editor: RouteEditor, content: React.RefObject<HTMLElement | null>) {
  const { attention } = editor;
  const field = editor.problems[0]?.field;
  const answered = useRef(0);
  // The focus lives in the document, outside of what React keeps.
  useEffect(() => {
    if (attention === 0) answered.current = 0;
    if (field === undefined || attention === answered.current) return;
    answered.current = attention;
    const control = controlOf(field);
    if (control !== undefined) find(content.current, control)?.focus();
  }, [attention, field, content]);
}

/** Brings the dry run into sight, with the focus at its first question. */
function showDryRun(root: HTMLElement | null): void {
  find(root, "dry-run")?.scrollIntoView({ block: "start" });
  const first = find(root, "dry-run-message") ?? find(root, "dry-run-past");
  first?.focus({ preventScroll: true });
}

function find(root: HTMLElement | null, testId: string): HTMLElement | null | undefined {
  return root?.querySelector<HTMLElement>(`[data-testid="${testId}"]`);
}

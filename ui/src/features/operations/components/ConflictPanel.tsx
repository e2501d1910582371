import { Button } from "@mantine/core";
import { IconGitMerge } from "@tabler/icons-react";
import type { ApprovalPolicy, DraftTarget, Operation, RouteRule } from "@/bindings";
import type { RouteEditor } from "../useRouteEditor";
import { settingsText, targetName } from "../words";
import classes from "./RouteSheet.module.css";

type Props = { operation: Operation; editor: RouteEditor };

/** Somebody else applied a change while this draft was edited: both versions, and whose it shall be. */
export function ConflictPanel({ operation, editor }: Props) {
  const { draft } = editor;
  return (
    <section className={classes.panel} aria-label="Changed meanwhile" data-testid="draft-conflict">
      <h3 className={classes.conflict} role="alert">
        <IconGitMerge size={16} aria-hidden />
        Changed meanwhile
      </h3>
      <p>
        You began with version {draft.baseVersion}; version {operation.version} has been applied
        since.
      </p>
      <div className={classes.versions}>
        <Version
          title={`Theirs, version ${operation.version}`}
          settings={operation}
          targets={operation.targets}
        />
        <Version title="Yours" settings={draft.present} targets={draft.present.cards} />
      </div>
      <div className={classes.choices}>
        <Button variant="default" h={30} onClick={editor.takeTheirs} data-testid="conflict-theirs">
          Take theirs
        </Button>
        <Button h={30} onClick={editor.putMineOnTop} data-testid="conflict-mine">
          Put mine on top
        </Button>
      </div>
    </section>
  );
}

type VersionProps = {
  title: string;
  settings: Pick<Operation, "enabled" | "strategy" | "balance" | "deadline_ms" | "cache_ttl_s"> & {
    rules: readonly RouteRule[];
    allowed_providers: readonly string[];
    approval: ApprovalPolicy | null;
  };
  targets: readonly DraftTarget[];
};

function Version({ title, settings, targets }: VersionProps) {
  return (
    <div className={classes.version}>
      <h4>{title}</h4>
      <p className="muted">{settings.enabled ? "Serves requests" : "Switched off"}</p>
      <ol>
        {targets.map((target) => (
          <li key={targetName(target)}>
            {targetName(target)}
            {cardNotes(target, settings.strategy)}
          </li>
        ))}
      </ol>
      <p className="muted">{settingsText(settings)}</p>
    </div>
  );
}

/** What is set on a card, in brackets. */
function cardNotes(target: DraftTarget, strategy: string): string {
  const notes = [
    target.enabled ? "" : "off",
    target.timeout_ms === null ? "" : `${target.timeout_ms / 1000} s`,
    target.max_output === null ? "" : `${target.max_output} tokens`,
    strategy === "weighted" ? `share ${target.weight}` : "",
  ].filter((note) => note !== "");
  return notes.length === 0 ? "" : ` (${notes.join(", ")})`;
}

import { Button } from "@mantine/core";
import { IconGitMerge } from "@tabler/icons-react";
import type { DraftTarget, Operation } from "@/bindings";
import type { RouteEditor } from "../useRouteEditor";
import { targetName } from "../words";
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
          enabled={operation.enabled}
          targets={operation.targets}
        />
        <Version title="Yours" enabled={draft.present.enabled} targets={draft.present.cards} />
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

type VersionProps = { title: string; enabled: boolean; targets: readonly DraftTarget[] };

function Version({ title, enabled, targets }: VersionProps) {
  return (
    <div className={classes.version}>
      <h4>{title}</h4>
      <p className="muted">{enabled ? "Serves requests" : "Switched off"}</p>
      <ol>
        {targets.map((target) => (
          <li key={targetName(target)}>
            {targetName(target)}
            {target.enabled ? null : <span className="muted"> (off)</span>}
          </li>
        ))}
      </ol>
    </div>
  );
}

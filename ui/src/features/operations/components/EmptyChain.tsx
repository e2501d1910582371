import { UnstyledButton } from "@mantine/core";
import type { TargetCatalogue } from "../targets";
import { makeTemplates } from "../templates";
import type { RouteEditor } from "../useRouteEditor";
import { targetName } from "../words";
import classes from "./EmptyChain.module.css";

type Props = { editor: RouteEditor; catalogue: TargetCatalogue };

/** A chain without targets: what that means, and three ways to begin. */
export function EmptyChain({ editor, catalogue }: Props) {
  const templates = makeTemplates(catalogue.able);
  return (
    <div className={classes.empty}>
      <p>
        The chain is empty: nothing could answer.{" "}
        {templates.length > 0 ? "Begin with one of these, or add a target." : "Add a target."}
      </p>
      <div className={classes.templates}>
        {templates.map(({ id, title, says, strategy, targets }) => (
          <UnstyledButton
            key={id}
            className={classes.template}
            onClick={() => editor.edit({ type: "fill", strategy, targets })}
            data-testid={`route-template-${id}`}
          >
            <strong>{title}</strong>
            <span className="muted">{says}</span>
            <ol>
              {targets.map((target) => (
                <li key={targetName(target)} className="ellipsis" title={targetName(target)}>
                  {targetName(target)}
                </li>
              ))}
            </ol>
          </UnstyledButton>
        ))}
      </div>
    </div>
  );
}

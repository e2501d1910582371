import { Button } from "@mantine/core";
import { CommandError } from "@/api/call";
import classes from "./parts.module.css";

type Props = {
  error: Error | null;
  /** Takes up what has changed meanwhile, after a conflict. */
  onReload?: () => void;
  "data-testid"?: string;
};

/** Why a form was refused, where it concerns no single field. */
export function FormProblem({ error, onReload, "data-testid": testId }: Props) {
  if (!error) return null;
  const conflict = error instanceof CommandError && error.code === "conflict";
  return (
    <div className={classes.problem} role="alert" data-testid={testId}>
      <span>
        {error.message}
        {conflict ? " Somebody changed it since it was opened here." : null}
      </span>
      {conflict && onReload ? (
        <Button variant="default" size="compact-sm" onClick={onReload} data-testid="form-reload">
          Read it again
        </Button>
      ) : null}
    </div>
  );
}

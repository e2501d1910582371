import classes from "./parts.module.css";

/** Why something was refused, where it concerns no single field. */
export function Problem({ error }: { error: Error | null }) {
  if (!error) return null;
  return (
    <p className={classes.problem} role="alert" data-testid="notifications-problem">
      {error.message}
    </p>
  );
}

import { IconCheck } from "@tabler/icons-react";
import type { ReactNode } from "react";
import classes from "../FirstRunPage.module.css";

type Props = {
  number: number;
  title: string;
  /** What it is for, or what came of it. */
  note: ReactNode;
  done: boolean;
  open: boolean;
  onOpen: () => void;
  children: ReactNode;
  "data-testid": string;
};

/** One step: its state in the head, its work below while it is open. */
export function StepCard({ number, title, note, done, open, onOpen, children, ...rest }: Props) {
  return (
    <section
      className={classes.step}
      data-open={open}
      data-done={done}
      data-testid={rest["data-testid"]}
    >
      <button type="button" className={classes.head} aria-expanded={open} onClick={onOpen}>
        <span
          className={classes.number}
          aria-label={done ? `Step ${number}, done` : `Step ${number}`}
        >
          {done ? <IconCheck size={14} stroke={2.5} aria-hidden /> : number}
        </span>
        <span className={classes.titles}>
          <span className={classes.title}>{title}</span>
          <span className="muted">{note}</span>
        </span>
      </button>
      {open ? <div className={classes.body}>{children}</div> : null}
    </section>
  );
}

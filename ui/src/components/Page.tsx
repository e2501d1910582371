import type { ReactNode } from "react";
import classes from "./Page.module.css";

type Props = {
  /** The id of the screen, e.g. `overview`; becomes `data-testid="page-overview"`. */
  id: string;
  children: ReactNode;
  /** `scroll`: the page scrolls as a whole. `fill`: it takes the height, and a table inside scrolls. */
  layout?: "scroll" | "fill";
  /** Filters and actions in a line above the content. */
  toolbar?: ReactNode;
};

/** The frame of a screen inside the shell. The title stands in the header. */
export function Page({ id, children, layout = "scroll", toolbar }: Props) {
  return (
    <div className={classes.page} data-layout={layout} data-testid={`page-${id}`}>
      {toolbar ? <div className={classes.toolbar}>{toolbar}</div> : null}
      {children}
    </div>
  );
}

import type { ReactNode } from "react";
import classes from "./Facts.module.css";

/** Names and values, one under the other, as in the details of an object. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className={classes.facts}>{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

/** A titled part of a sheet, set off by a line. */
export function FactSection({
  title,
  aside,
  children,
}: {
  title: string;
  /** Beside the title, at the right end. */
  aside?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={classes.section}>
      <header>
        <h3>{title}</h3>
        {aside}
      </header>
      {children}
    </section>
  );
}

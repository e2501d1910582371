import { revealHidden } from "@/lib/text";
import classes from "./MonoBox.module.css";

type Props = {
  /** Text somebody else wrote: a prompt, an answer, an error of a provider. Never interpreted. */
  text: string;
  /** Accessible name, e.g. "Response body". */
  label: string;
  wrap?: boolean;
  maxHeight?: number;
  "data-testid"?: string;
};

/** Untrusted text: plain, in a frame, with everything that hides made visible. */
export function MonoBox({
  text,
  label,
  wrap = true,
  maxHeight = 320,
  "data-testid": testId,
}: Props) {
  return (
    <section
      className={classes.box}
      data-wrap={wrap}
      style={{ maxHeight }}
      aria-label={label}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a scrolling region must be reachable by keyboard
      tabIndex={0}
      data-testid={testId}
    >
      <bdi dir="ltr">
        {revealHidden(text).map((piece, index) =>
          piece.kind === "text" ? (
            piece.text
          ) : (
            <span key={index} className={classes.hidden} title={piece.name}>
              {piece.glyph}
            </span>
          ),
        )}
      </bdi>
    </section>
  );
}

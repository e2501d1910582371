import { type ReactNode, useRef, useState } from "react";
import classes from "./HoldButton.module.css";

/** How long it is held until it acts. */
export const HOLD_MS = 1_000;

type Props = {
  children: ReactNode;
  /** A short press, and every press of a keyboard. */
  onPress: (by: "keyboard" | "mouse") => void;
  /** Held for a second. */
  onHold: () => void;
  className?: string | undefined;
  disabled?: boolean;
  title?: string;
  "aria-label"?: string;
  "data-testid"?: string;
};

/** A button that asks when it is pressed and acts when it is held: nobody holds one by accident. */
export function HoldButton({ children, onPress, onHold, className, ...rest }: Props) {
  const [held, setHeld] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const acted = useRef(false);
  const release = () => {
    clearTimeout(timer.current);
    setHeld(false);
  };
  return (
    <button
      type="button"
      className={`${classes.button} ${className ?? ""}`}
      data-held={held}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        acted.current = false;
        setHeld(true);
        timer.current = setTimeout(() => {
          acted.current = true;
          setHeld(false);
          onHold();
        }, HOLD_MS);
      }}
      onPointerUp={release}
      onPointerLeave={release}
      onPointerCancel={release}
      onContextMenu={(event) => event.preventDefault()}
      onClick={(event) => {
        // What was held has acted; the click that ends it asks nothing.
        if (acted.current) acted.current = false;
        else onPress(event.detail === 0 ? "keyboard" : "mouse");
      }}
      {...rest}
    >
      {children}
    </button>
  );
}

import { ActionIcon } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { type KeyboardEvent, type PointerEvent, type ReactNode, useState } from "react";
import { preferences, setPreferences } from "@/lib/preferences";
import classes from "./Sheet.module.css";

const WIDTH_MIN = 480;
const WIDTH_MAX = 720;
const WIDTH_STEP = 24;

type Props = {
  /** What the sheet shows, e.g. "Request req_01…"; its accessible name. */
  label: string;
  title: ReactNode;
  /** Buttons beside the close button. */
  actions?: ReactNode;
  onClose: () => void;
  children: ReactNode;
  /** Stays at the bottom while the rest scrolls, e.g. what to do with a draft. */
  footer?: ReactNode;
  "data-testid"?: string;
};

/**
 * The detail of one object, at the right of its list. It does not cover or dim the list: `J` and `K` go on working there.
 * Put it as the last child of a `Page layout="fill"` that is wrapped in `SheetHost`.
 */
export function Sheet({
  label,
  title,
  actions,
  onClose,
  children,
  footer,
  "data-testid": testId,
}: Props) {
  const [width, setWidth] = useState(() => clamp(preferences().sheetWidth));
  const resize = (next: number) => {
    setWidth(clamp(next));
    setPreferences({ sheetWidth: clamp(next) });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    // A dialog opened from the sheet lies elsewhere in the page; its Escape is its own.
    if (!(event.target instanceof Node) || !event.currentTarget.contains(event.target)) return;
    event.stopPropagation();
    onClose();
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- Escape closes it from anywhere inside
    <aside
      className={classes.sheet}
      style={{ width }}
      aria-label={label}
      data-testid={testId}
      onKeyDown={onKeyDown}
    >
      <ResizeHandle width={width} onResize={resize} />
      <header className={classes.head}>
        <h2 className="ellipsis">{title}</h2>
        <div className={classes.actions}>
          {actions}
          <ActionIcon aria-label={`Close ${label}`} onClick={onClose} data-testid="sheet-close">
            <IconX size={16} aria-hidden />
          </ActionIcon>
        </div>
      </header>
      <div className={classes.body}>{children}</div>
      {footer ? <footer className={classes.footer}>{footer}</footer> : null}
    </aside>
  );
}

/** Lays a list and its open sheet side by side. */
export function SheetHost({ children, sheet }: { children: ReactNode; sheet: ReactNode }) {
  return (
    <div className={classes.host}>
      <div className={classes.list}>{children}</div>
      {sheet}
    </div>
  );
}

function ResizeHandle({ width, onResize }: { width: number; onResize: (width: number) => void }) {
  const move = (event: PointerEvent<HTMLDivElement>) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    onResize(event.currentTarget.getBoundingClientRect().left + width - event.clientX);
  };
  const key = (event: KeyboardEvent) => {
    if (event.key === "ArrowLeft") onResize(width + WIDTH_STEP);
    else if (event.key === "ArrowRight") onResize(width - WIDTH_STEP);
    else return;
    event.preventDefault();
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- a focusable separator is a widget
    <div
      className={classes.handle}
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the details"
      aria-valuenow={width}
      aria-valuemin={WIDTH_MIN}
      aria-valuemax={WIDTH_MAX}
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- see above
      tabIndex={0}
      onPointerDown={holdPointer}
      onPointerMove={move}
      onKeyDown={key}
    />
  );
}

function holdPointer(event: PointerEvent<HTMLDivElement>): void {
  event.currentTarget.setPointerCapture(event.pointerId);
}

function clamp(width: number): number {
  return Math.min(Math.max(Math.round(width), WIDTH_MIN), WIDTH_MAX);
}

import { useRef, useState } from "react";

/** Whether the table within a frame is scrolled to its top: a list that is read further down must not move. */
export function useAtTop() {
  const frame = useRef<HTMLDivElement>(null);
  const [atTop, setAtTop] = useState(true);
  return {
    frame,
    atTop,
    onScroll: () => setAtTop((gridIn(frame.current)?.scrollTop ?? 0) <= 0),
    toTop: () => {
      gridIn(frame.current)?.scrollTo({ top: 0 });
      setAtTop(true);
    },
  };
}

/** The element of a table that scrolls. */
export function gridIn(frame: HTMLElement | null): HTMLElement | null | undefined {
  return frame?.querySelector<HTMLElement>('[role="grid"]');
}

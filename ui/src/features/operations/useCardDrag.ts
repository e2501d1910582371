import { type PointerEvent, useState } from "react";

type Drag = { from: number; to: number; startY: number; offset: number; centres: number[] };

/**
 * Reordering a vertical list by a handle. Pointer events rather than the browser's own dragging, which web views leave to the
 * desktop. Nothing moves until the card is let go, so that one drag is one edit.
 */
export function useCardDrag(onDrop: (from: number, to: number) => void) {
  const [drag, setDrag] = useState<Drag>();

  const start = (from: number) => (event: PointerEvent<HTMLElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const centres = Array.from(event.currentTarget.closest("ol")?.children ?? [], (item) => {
      const { top, height } = item.getBoundingClientRect();
      return top + height / 2;
    });
    setDrag({ from, to: from, startY: event.clientY, offset: 0, centres });
  };
  const follow = (event: PointerEvent<HTMLElement>) => {
    if (!drag) return;
    const offset = event.clientY - drag.startY;
    const centre = (drag.centres[drag.from] ?? 0) + offset;
    const others = drag.centres.filter((_, index) => index !== drag.from);
    setDrag({ ...drag, offset, to: others.filter((other) => other < centre).length });
  };
  const drop = () => {
    setDrag(undefined);
    if (drag && drag.to !== drag.from) onDrop(drag.from, drag.to);
  };

  return {
    handleProps: (index: number) => ({
      onPointerDown: start(index),
      onPointerMove: follow,
      onPointerUp: drop,
      onPointerCancel: () => setDrag(undefined),
    }),
    itemProps: (index: number) => ({
      "data-dragged": drag?.from === index,
      "data-drop": drag === undefined ? undefined : dropEdge(drag, index),
      style: drag?.from === index ? { transform: `translateY(${drag.offset}px)` } : undefined,
    }),
  };
}

/** Where the line stands that shows the new place. */
function dropEdge({ from, to }: Drag, index: number): "before" | "after" | undefined {
  if (to === from || index !== to) return undefined;
  return to < from ? "before" : "after";
}

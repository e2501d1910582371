import { useComputedColorScheme } from "@mantine/core";
import type { EChartsCoreOption, EChartsType } from "echarts/core";
import { useEffect, useRef, useState } from "react";
import { slotToken } from "./colours";

/** Colours as they are on the screen now; a canvas cannot read custom properties. */
export type Palette = {
  text: string;
  muted: string;
  line: string;
  surface: string;
  slot: (slot: number) => string;
};

type Props = {
  /** The option for the present colours. Keep it stable while nothing changes. */
  option: (palette: Palette) => EChartsCoreOption;
  height: number;
  /** What the chart says, in a sentence; a canvas says nothing to a screen reader. */
  summary: string;
  /** A click on the bucket of this index. */
  onPick?: (index: number) => void;
};

/** A canvas that ECharts draws on: loaded late, resized with its box, redrawn when the theme changes. */
export function EChart({ option, height, summary, onPick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<EChartsType>();
  const scheme = useComputedColorScheme("light");

  useEffect(() => {
    // The outside system: ECharts owns what is inside the box.
    const element = box.current;
    if (!element) return;
    let disposed = false;
    let instance: EChartsType | undefined;
    const observer = new ResizeObserver(() => instance?.resize());
    void import("./echarts").then(({ init }) => {
      if (disposed) return;
      instance = init(element, null, { renderer: "canvas" });
      observer.observe(element);
      setChart(instance);
    });
    return () => {
      disposed = true;
      observer.disconnect();
      instance?.dispose();
    };
  }, []);

  useEffect(() => {
    // The scheme's custom properties are set on the document when Mantine has applied it.
    if (chart && box.current && scheme)
      chart.setOption(option(paletteOf(box.current)), { notMerge: true });
  }, [chart, option, scheme]);

  useEffect(() => {
    if (!chart || !onPick) return;
    const surface = chart.getZr();
    const pick = (event: { offsetX: number; offsetY: number }) => {
      const [index] = chart.convertFromPixel({ gridIndex: 0 }, [event.offsetX, event.offsetY]);
      if (index !== undefined && index >= 0) onPick(index);
    };
    surface.on("click", pick);
    return () => surface.off("click", pick);
  }, [chart, onPick]);

  return <div ref={box} role="img" aria-label={summary} style={{ height, width: "100%" }} />;
}

function paletteOf(element: HTMLElement): Palette {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: token("--text"),
    muted: token("--muted"),
    line: token("--line"),
    surface: token("--surface"),
    slot: (slot) => token(slotToken(slot)),
  };
}

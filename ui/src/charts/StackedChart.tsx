import { useCallback } from "react";
import type { Bucket } from "@/bindings";
import { formatMoneyExact, formatMoneyTotal, toPlotNumber } from "@/lib/money";
import { formatCompact, formatCount } from "@/lib/numbers";
import { usePreferences } from "@/lib/preferences";
import { formatBucket } from "@/lib/time";
import { EChart, type Palette } from "./EChart";
import { axisWithRoom, type PreparedLimit } from "./prepareLimit";
import type { Metric, PreparedChart } from "./prepareSeries";
import classes from "./StackedChart.module.css";

type Props = {
  chart: PreparedChart;
  metric: Metric;
  bucket: Bucket;
  /** Start of each bucket. */
  buckets: readonly string[];
  height: number;
  /** The budget that holds for what is charted. */
  limit?: PreparedLimit | undefined;
  onPickBucket?: (index: number) => void;
};

/** Stands for the line where it is only told of. */
const LINE_MARK = "╌";
const HATCH_PX = 6;
const BAR = {
  type: "bar",
  stack: "all",
  barMaxWidth: 32,
  barCategoryGap: "22%",
  emphasis: { disabled: true },
};

/** Lines of the tooltip; a stack of more is read as a table. */
const TOOLTIP_LINES = 7;

/** Bars over time, stacked by group, with the groups and their totals beside them instead of a bare legend. */
export function StackedChart(props: Props) {
  const { chart, metric, bucket, buckets, height, limit, onPickBucket } = props;
  const { zone } = usePreferences();
  const show = metric === "spend" ? formatMoneyTotal : formatCount;
  const exact = metric === "spend" ? formatMoneyExact : formatCount;
  const option = useCallback(
    (palette: Palette) => ({
      animation: false,
      textStyle: { fontFamily: "Inter Variable, sans-serif", fontSize: 11 },
      grid: { left: 4, right: 4, top: 12, bottom: 4, containLabel: true },
      tooltip: {
        trigger: "axis",
        axisPointer: { type: "shadow", shadowStyle: { color: palette.muted, opacity: 0.1 } },
        // Text, not markup: names come from outside.
        renderMode: "richText",
        confine: true,
        backgroundColor: palette.surface,
        borderColor: palette.line,
        textStyle: { color: palette.text, fontSize: 12, lineHeight: 18 },
        formatter: (points: { dataIndex: number }[] | { dataIndex: number }) => {
          const index = (Array.isArray(points) ? points[0] : points)?.dataIndex ?? 0;
          const lines = chart.series
            .filter((series) => series.exact[index] !== "0")
            .slice(0, TOOLTIP_LINES)
            .map((series) => `${series.label}   ${exact(series.exact[index] ?? "0")}`);
          if (limit?.reserved && index === buckets.length - 1)
            lines.push(`Reserved now   ${exact(limit.reserved.amount)}`);
          if (limit?.drawn) lines.push(`${LINE_MARK} ${limit.words}`);
          const head = `${formatBucket(buckets[index] ?? "", bucket, zone)}   ${exact(chart.totals[index] ?? "0")}`;
          return [head, ...lines].join("\n");
        },
      },
      xAxis: {
        type: "category",
        data: buckets.map((start) => formatBucket(start, bucket, zone)),
        axisTick: { show: false },
        axisLine: { lineStyle: { color: palette.line } },
        axisLabel: { color: palette.muted, hideOverlap: true, margin: 10 },
      },
      yAxis: {
        type: "value",
        splitNumber: 4,
        ...(limit?.drawn ? axisWithRoom(topOf(chart, limit)) : {}),
        minInterval: metric === "requests" ? 1 : 0,
        splitLine: { lineStyle: { color: palette.line } },
        axisLabel: {
          color: palette.muted,
          formatter: metric === "spend" ? dollars : formatCompact,
        },
      },
      series: [
        ...chart.series.map((series, index) => ({
          ...BAR,
          name: series.label,
          data: series.plot,
          itemStyle: { color: palette.slot(series.slot) },
          ...(index === 0 && limit?.drawn ? { markLine: lineOf(limit, palette) } : {}),
        })),
        ...(limit?.reserved?.drawn
          ? [reservedOf(limit.reserved.plot, buckets.length, palette)]
          : []),
      ],
    }),
    [chart, metric, bucket, buckets, zone, exact, limit],
  );
  const summary = summarise(chart, metric, buckets, bucket, zone);
  return (
    <div className={classes.chart}>
      <EChart
        option={option}
        height={height}
        summary={summary}
        {...(onPickBucket ? { onPick: onPickBucket } : {})}
      />
      <ul className={classes.legend}>
        {chart.series.map((series) => (
          <li key={series.key}>
            <span
              className={classes.swatch}
              style={{ background: `var(--chart-${series.slot === 0 ? "other" : series.slot})` }}
            />
            <span className="ellipsis" title={series.label}>
              {series.slot === 0 ? `${chart.folded} others` : series.label}
            </span>
            <span className={classes.amount} title={exact(series.total)}>
              {show(series.total)}
            </span>
          </li>
        ))}
      </ul>
      {limit && (limit.reserved || !limit.drawn) ? <LimitLegend limit={limit} /> : null}
      <p className="visually-hidden">{limit ? `${summary} ${limit.words}.` : summary}</p>
    </div>
  );
}

/** What the chart does not say itself: what is reserved, and a budget far above the bars. */
function LimitLegend({ limit }: { limit: PreparedLimit }) {
  const { reserved, drawn, words } = limit;
  return (
    <p className={classes.limit} data-testid="chart-limit">
      {drawn ? null : (
        <span>
          <i className={classes.dash} aria-hidden />
          {words}, far above these bars
        </span>
      )}
      {reserved ? (
        <span title={formatMoneyExact(reserved.amount)}>
          <i className={classes.hatch} aria-hidden />
          {formatMoneyTotal(reserved.amount)} reserved by requests that run now
        </span>
      ) : null}
    </p>
  );
}

/** The budget as a line with its own label, so that it is read without a legend. */
function lineOf(limit: PreparedLimit, palette: Palette) {
  return {
    silent: true,
    symbol: "none",
    animation: false,
    data: [{ yAxis: limit.plot }],
    lineStyle: { color: palette.text, type: "dashed", width: 1.5 },
    label: {
      formatter: limit.words,
      position: "insideStartTop",
      color: palette.text,
      fontSize: 11,
      distance: 4,
      backgroundColor: palette.surface,
      padding: [1, 4],
    },
  };
}

/** What is held now on top of the last bar, hatched: it is not spent yet. */
function reservedOf(plot: number, buckets: number, palette: Palette) {
  return {
    ...BAR,
    name: "Reserved now",
    data: [...Array.from({ length: buckets - 1 }, () => null), plot],
    itemStyle: {
      color: hatch(palette.muted),
      borderColor: palette.muted,
      borderWidth: 1,
    },
  };
}

/** Diagonal strokes as a repeated image; transparent between them. */
function hatch(colour: string): { image: HTMLCanvasElement; repeat: "repeat" } | string {
  const image = document.createElement("canvas");
  image.width = HATCH_PX;
  image.height = HATCH_PX;
  const brush = image.getContext("2d");
  if (!brush) return "transparent";
  brush.strokeStyle = colour;
  brush.beginPath();
  for (const from of [-HATCH_PX / 2, HATCH_PX / 2, (HATCH_PX * 3) / 2]) {
    brush.moveTo(from - HATCH_PX / 2, HATCH_PX);
    brush.lineTo(from + HATCH_PX / 2, 0);
  }
  brush.stroke();
  return { image, repeat: "repeat" };
}

/** The highest thing that is drawn. For pixels only. */
function topOf(chart: PreparedChart, limit: PreparedLimit): number {
  const last =
    toPlotNumber(chart.totals.at(-1) ?? "0") + (limit.reserved?.drawn ? limit.reserved.plot : 0);
  return Math.max(toPlotNumber(chart.peak?.value ?? "0"), last, limit.plot);
}

/** The chart in a sentence. */
function summarise(
  chart: PreparedChart,
  metric: Metric,
  buckets: readonly string[],
  bucket: Bucket,
  zone: "local" | "utc",
): string {
  const show = metric === "spend" ? formatMoneyTotal : formatCount;
  const what = metric === "spend" ? "Spend" : "Requests";
  if (!chart.peak) return `${what}: nothing in this time.`;
  const at = formatBucket(buckets[chart.peak.index] ?? "", bucket, zone);
  const [largest] = chart.series;
  const most = largest ? `, most of it ${largest.label} with ${show(largest.total)}` : "";
  return `${what} ${show(chart.total)} in all, peak ${show(chart.peak.value)} at ${at}${most}.`;
}

/** Axis labels; the exact figures are in the tooltip. */
function dollars(value: number): string {
  if (value === 0) return "$0";
  if (value >= 10) return `$${formatCompact(value)}`;
  if (value >= 0.1) return `$${value.toFixed(2)}`;
  return `$${Number(value.toPrecision(2))}`;
}

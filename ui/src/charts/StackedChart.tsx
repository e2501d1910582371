import { useCallback } from "react";
import type { Bucket } from "@/bindings";
import { formatMoneyExact, formatMoneyTotal } from "@/lib/money";
import { formatCompact, formatCount } from "@/lib/numbers";
import { usePreferences } from "@/lib/preferences";
import { formatBucket } from "@/lib/time";
import { EChart, type Palette } from "./EChart";
import type { Metric, PreparedChart } from "./prepareSeries";
import classes from "./StackedChart.module.css";

type Props = {
  chart: PreparedChart;
  metric: Metric;
  bucket: Bucket;
  /** Start of each bucket. */
  buckets: readonly string[];
  height: number;
  onPickBucket?: (index: number) => void;
};

/** Lines of the tooltip; a stack of more is read as a table. */
const TOOLTIP_LINES = 7;

/** Bars over time, stacked by group, with the groups and their totals beside them instead of a bare legend. */
export function StackedChart({ chart, metric, bucket, buckets, height, onPickBucket }: Props) {
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
        minInterval: metric === "requests" ? 1 : 0,
        splitLine: { lineStyle: { color: palette.line } },
        axisLabel: {
          color: palette.muted,
          formatter: metric === "spend" ? dollars : formatCompact,
        },
      },
      series: chart.series.map((series) => ({
        type: "bar",
        name: series.label,
        stack: "all",
        barMaxWidth: 32,
        barCategoryGap: "22%",
        data: series.plot,
        itemStyle: { color: palette.slot(series.slot) },
        emphasis: { disabled: true },
      })),
    }),
    [chart, metric, bucket, buckets, zone, exact],
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
      <p className="visually-hidden">{summary}</p>
    </div>
  );
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

/** Where the bars of the attempts waterfall go. Pure geometry in percent of the whole request. */

/** One attempt in milliseconds from the start of the request. */
export interface AttemptTimes {
  started: number;
  firstToken?: number | null;
  finished: number;
}

/** A bar in percent of the width: waiting for the first token, then receiving. */
export interface WaterfallBar {
  left: number;
  wait: number;
  receive: number;
}

export interface Waterfall {
  /** Length of the axis in milliseconds, a round number at or above the last finish. */
  span: number;
  /** Milliseconds, from 0 to `span`. */
  ticks: number[];
  bars: WaterfallBar[];
}

/** The thinnest bar that can still be seen and hovered, percent. */
const THINNEST = 0.6;
const TICKS = 4;

/** The smallest 1, 2, 2.5 or 5 × 10^n that is at least `value`. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= value) ?? 10;
  return step * power;
}

/** Lays the attempts out on one axis. Times that run backwards are treated as zero length. */
export function layoutWaterfall(attempts: readonly AttemptTimes[]): Waterfall {
  const last = Math.max(
    0,
    ...attempts.map((attempt) => Math.max(attempt.finished, attempt.started)),
  );
  const step = roundUp(Math.max(last, 1) / TICKS);
  const count = Math.max(1, Math.ceil(Math.max(last, 1) / step));
  const span = step * count;
  return {
    span,
    ticks: Array.from({ length: count + 1 }, (_, index) => index * step),
    bars: attempts.map((attempt) => bar(attempt, span)),
  };
}

function bar(attempt: AttemptTimes, span: number): WaterfallBar {
  const started = Math.max(0, attempt.started);
  const finished = Math.max(started, attempt.finished);
  const firstToken = Math.min(finished, Math.max(started, attempt.firstToken ?? finished));
  const width = Math.max(THINNEST, ((finished - started) / span) * 100);
  const receive = Math.min(width, ((finished - firstToken) / span) * 100);
  return { left: Math.min((started / span) * 100, 100 - width), wait: width - receive, receive };
}

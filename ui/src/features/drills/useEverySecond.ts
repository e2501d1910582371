import { useEffect, useState } from "react";

const SECOND_MS = 1_000;

/** The time, each second while something runs that a person watches; it stands still otherwise. */
export function useEverySecond(running: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  // The clock is the outside system this effect keeps in step with.
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now());
    }, SECOND_MS);
    return () => clearInterval(timer);
  }, [running]);
  return now;
}

import { type RefObject, useLayoutEffect, useRef } from "react";

/**
 * The newest value behind a ref that never changes, for handlers that are registered once with something outside of React
 * (the keyboard) but must see what the last render saw.
 */
export function useLatest<T>(value: T): RefObject<T> {
  const latest = useRef(value);
  useLayoutEffect(() => {
    latest.current = value;
  });
  return latest;
}

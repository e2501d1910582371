import { notifications } from "@mantine/notifications";
import { cleanup, configure } from "@testing-library/react";
import { afterEach, vi } from "vitest";

// What jsdom lacks and Mantine asks for.
vi.stubGlobal(
  "matchMedia",
  (query: string) =>
    ({
      matches: false,
      media: query,
      addEventListener: () => undefined,
      removeEventListener: () => undefined,
      addListener: () => undefined,
      removeListener: () => undefined,
      dispatchEvent: () => false,
      onchange: null,
    }) satisfies MediaQueryList,
);
vi.stubGlobal(
  "ResizeObserver",
  class {
    observe(): void {}
    unobserve(): void {}
    disconnect(): void {}
  },
);
Object.defineProperty(document, "fonts", { value: new EventTarget() });
Element.prototype.scrollIntoView = () => undefined;

// Its pages have no canvas to draw on; what a chart says is in its summary and its legend.
vi.mock("@/charts/echarts", () => ({
  init: () => ({
    setOption: () => undefined,
    resize: () => undefined,
    dispose: () => undefined,
    getZr: () => ({ on: () => undefined, off: () => undefined }),
  }),
}));

// A screen that is opened for the first time is read and compiled first; on a busy machine that takes its time.
configure({ asyncUtilTimeout: 5_000 });

afterEach(() => {
  cleanup();
  // Notices outlive the window of a test; the next test must not find them.
  notifications.clean();
});

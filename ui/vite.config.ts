import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
  base: "./",
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  // Tauri prints its own errors above; clearing the screen would hide them.
  clearScreen: false,
  server: { port: 5173, strictPort: true },
  build: {
    // The web views Tauri uses: WebKitGTK 2.50 and Safari 16, WebView2.
    target: ["es2022", "safari16", "chrome110"],
    // Everything is local; one request per megabyte is fine, a warning per build is noise.
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "echarts", test: /node_modules[\\/](echarts|zrender)/ },
            { name: "mantine", test: /node_modules[\\/]@mantine/ },
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/ },
          ],
        },
      },
    },
  },
  test: {
    // A page per file is slow; what needs no page (`*.test.ts`) gets none.
    projects: [
      {
        extends: true,
        test: { name: "unit", environment: "node", include: ["src/**/*.test.ts"] },
      },
      {
        extends: true,
        test: {
          name: "component",
          environment: "jsdom",
          include: ["src/**/*.test.tsx"],
          setupFiles: ["./src/test/setup.ts"],
          // Each drives a whole window; beside a compiler on two cores that takes its time.
          testTimeout: 30_000,
          css: false,
        },
      },
    ],
    restoreMocks: true,
  },
});

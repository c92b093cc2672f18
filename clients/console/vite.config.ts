import { defineConfig } from "vite";

/** Where `npm run dev` sends the calls: a bridge beside it. */
const BRIDGE = process.env["BRIDGE"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  // A proxy may serve the bridge under a path of its own.
  base: "./",
  build: {
    // Out of here go:embed takes it into the bridge's binary.
    outDir: "../gateway/console/dist",
    emptyOutDir: true,
    target: "es2023",
    cssTarget: "chrome123",
    // The page may load no data: URLs, and needs no help to preload its one script.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
  server: {
    proxy: { "/api": BRIDGE, "/health": BRIDGE },
  },
});

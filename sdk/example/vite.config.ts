import { defineConfig } from "vite";

// The demo's allowed origins have port 3000; what is below /shop is the shop's own server's.
const server = { port: 3000, strictPort: true, proxy: { "/shop": "http://127.0.0.1:3001" } };

export default defineConfig({ server, preview: server, esbuild: { jsx: "automatic" } });

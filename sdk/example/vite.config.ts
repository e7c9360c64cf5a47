import { defineConfig } from "vite";

// The demo's allowed origins have port 3000; what is below /shop is the shop's own server's.
const { SHOP_PORT = "3000", SHOP_SERVER_PORT = "3001" } = process.env;
const proxy = { "/shop": `http://127.0.0.1:${SHOP_SERVER_PORT}` };
const server = { port: Number(SHOP_PORT), strictPort: true, proxy };

export default defineConfig({ server, preview: server, esbuild: { jsx: "automatic" } });

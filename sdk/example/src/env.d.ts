/// <reference types="vite/client" />

interface ImportMetaEnv {
  readonly VITE_FANFARE_URL: string;
  readonly VITE_FANFARE_KEY: string;
  readonly VITE_QUEUE: string;
}

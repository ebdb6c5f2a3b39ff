/** Loopback port of main.ts for changes of a mode: `POST /SERVICE/MODE`. */
export const controlPort = 7000;

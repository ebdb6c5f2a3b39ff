/** Where main.ts takes changes of mode, on loopback: `POST /SERVICE/MODE`. */
export const controlPort = 7000;

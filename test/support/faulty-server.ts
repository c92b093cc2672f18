/** Settings of a server that does what `fault` names at SIGUSR2 (test/preload/fault-on-signal.ts). */
export const faultOnSignal = (fault: "thread" | "throw" | "reject" | "hang") => ({
  NODE_OPTIONS: "--import=./dist/test/preload/fault-on-signal.js",
  FAULT: fault,
});

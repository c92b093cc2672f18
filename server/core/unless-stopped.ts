/**
 * What is started; undefined as soon as `stopped` resolves: whoever has said so need not wait for models to be loaded. What
 * was begun is left to the end of the process, which should come at once.
 */
export const unlessStopped = <Started>(
  started: Promise<Started>,
  stopped: Promise<void>,
): Promise<Started | undefined> => Promise.race([started, stopped.then(() => undefined)]);

import { orAbort } from "../core/abort.js";
import type { Clock } from "../core/clock.js";
import { keyUnknown } from "./keys/keys.js";

const LOOK_EVERY_MS = 1000;
const CUT_AFTER_MS = 1000;

/**
 * The steps of a stream for as long as its holder's key is good (`isCurrent`), which is looked at once a second: then they throw KEY_UNKNOWN, and
 * what was under way is lost. Whose reader has stopped takes no step any more, and would keep what it has: `cut` ends its call, a second later.
 */
export async function* whileCurrent<Step, End>(
  steps: AsyncGenerator<Step, End, undefined>,
  isCurrent: () => boolean,
  clock: Clock,
  cut: () => void,
): AsyncGenerator<Step, End, undefined> {
  const revoked = new AbortController();
  let callOff = () => {};
  const look = () => {
    if (isCurrent()) callOff = clock.after(LOOK_EVERY_MS, look);
    else {
      revoked.abort(keyUnknown());
      callOff = clock.after(CUT_AFTER_MS, cut);
    }
  };
  look();
  try {
    for (;;) {
      const step = await orAbort(steps.next(), revoked.signal, () => {});
      if (step.done) return step.value;
      yield step.value;
    }
  } finally {
    // Its status may wait behind answers that are not taken: a call that is over is cut no more.
    if (!revoked.signal.aborted) callOff();
    const ended = steps.return(undefined as never);
    // Not waited for once the key is bad: the step under way may want a message that only comes, or does not, once the call is over.
    if (revoked.signal.aborted) ended.catch(() => {});
    else await ended;
  }
}

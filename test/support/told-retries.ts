import Mocha from "mocha";

const { EVENT_RUN_END, EVENT_TEST_RETRY } = Mocha.Runner.constants;

/** Mocha's own report, and below it which tests passed only at another try (`--retries`), with what they failed by before. */
export default class ToldRetries extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const retried: string[] = [];
    runner.on(EVENT_TEST_RETRY, (test: Mocha.Test, error: unknown) => {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      retried.push(`${test.fullTitle()}\n${why.replaceAll(/^/gm, "     ")}`);
    });
    runner.once(EVENT_RUN_END, () => {
      if (retried.length === 0) return;
      process.stdout.write(`  ${retried.length} tried again:\n\n`);
      for (const one of retried) process.stdout.write(`  - ${one}\n\n`);
    });
  }
}

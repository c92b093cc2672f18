import type { Dashboard } from "./dashboard.js";
import { chart, line, perSecond, picked, shareOf, stat } from "./panel.js";

const lookups = (by: string, ...matchers: string[]) =>
  perSecond(by, "sentiment_cache_lookups_total", ...matchers);
/** Every text is looked for in memory first. */
const texts = lookups("", 'tier="memory"');
const hits = (tier: string) => shareOf(lookups("", `tier="${tier}"`, 'outcome="hit"'), texts);

export const cache: Dashboard = {
  name: "cache",
  title: "Cache",
  description: "What the caches answer, and how Redis does.",
  panels: [
    stat("Texts", "cps", "Texts looked for in a cache, a second.", [line("texts", texts)]),
    stat("Found in memory", "percentunit", "Share of the texts.", [line("memory", hits("memory"))]),
    stat("Found in Redis", "percentunit", "Share of the texts.", [line("Redis", hits("redis"))]),
    stat("Left to the models", "cps", "Texts that no cache could answer, a second.", [
      line("texts", `${texts} - ${lookups("", 'outcome="hit"')}`),
    ]),
    chart(
      "Hit rate",
      "percentunit",
      "Share of the texts that were found in a cache, by server: by what it counted, and of its last five minutes as it tells them.",
      [
        line(
          "{{instance}}",
          shareOf(lookups("instance", 'outcome="hit"'), lookups("instance", 'tier="memory"')),
        ),
        line("{{instance}} told", picked("sentiment_cache_hit_rate")),
      ],
      [0.7, 0.5],
    ),
    chart(
      "Lookups",
      "cps",
      "By tier and outcome; misses in Redis include those of a Redis that does not answer.",
      [line("{{tier}} {{outcome}}", lookups("tier, outcome"))],
    ),
    chart(
      "Redis passed by",
      "cps",
      "Lookups that Redis did not answer: too slow, an error, unreadable bytes, or skipped while it is down. They are misses, never errors of a call.",
      [
        line(
          "{{outcome}}",
          `${lookups("outcome", 'tier="redis"', 'outcome!~"hit|miss"')} or ${lookups("", 'tier="redis"')} * 0`,
        ),
      ],
    ),
    chart(
      "Redis writes",
      "cps",
      "Answers to be written: written, an error, dropped (too many under way), skipped while Redis is down.",
      [line("{{outcome}}", perSecond("outcome", "sentiment_cache_writes_total"))],
    ),
    chart(
      "Dropped for memory",
      "cps",
      "Answers that made room because the process was over 80 % of MEMORY_LIMIT.",
      [line("{{instance}}", perSecond("instance", "sentiment_cache_trimmed_total"))],
    ),
  ],
};

import type { Dashboard } from "./dashboard.js";
import { chart, line, perSecond, picked, quantile } from "./panel.js";

const cpus = `sum by (instance) (${picked("sentiment_cpu_usage_percent")})`;

export const capacity: Dashboard = {
  name: "capacity",
  title: "Capacity",
  description: "How much of the machine is used, and for how many texts it lasts.",
  panels: [
    chart(
      "CPU",
      "percent",
      "Of the CPUs that a server may use; 100 is all of them.",
      [line("{{instance}}", cpus)],
      [70, 80],
    ),
    chart("Memory", "bytes", "Resident, and MEMORY_LIMIT.", [
      line("{{instance}}", picked("sentiment_memory_usage_bytes")),
      line("{{instance}} limit", picked("sentiment_memory_limit_bytes")),
    ]),
    chart(
      "Memory used",
      "percentunit",
      "Of MEMORY_LIMIT; over 80 % models are unloaded and answers dropped.",
      [line("{{instance}}", picked("instance:sentiment_memory:ratio"))],
      [0.7, 0.8],
    ),
    chart(
      "Event-loop lag",
      "s",
      "How long a call waits before anything is done for it.",
      [
        line("{{instance}} p50", quantile(0.5, "instance", "sentiment_event_loop_lag_seconds")),
        line("{{instance}} p99", quantile(0.99, "instance", "sentiment_event_loop_lag_seconds")),
      ],
      [0.05, 0.1],
    ),
    chart("Tokens", "ops", "Tokens a second of the texts that were tokenized.", [
      line("{{model}}", perSecond("model", "sentiment_tokens_total")),
    ]),
    chart(
      "Tokens of quotas",
      "ops",
      "Of callers with a quota, a second, weighted by tier: charged, refused with RATE_LIMITED, or let in though over it (shadow_refused).",
      [line("{{outcome}}", perSecond("outcome", "sentiment_quota_tokens_total"))],
    ),
    chart(
      "Quotas told to others",
      "ops",
      "Times a second that servers told each other what was spent; alone: they could not, and each keeps to the quotas for itself.",
      [line("{{outcome}}", perSecond("outcome", "sentiment_quota_syncs_total"))],
    ),
    chart(
      "Texts at full CPU",
      "cps",
      "Texts a second of this mix that a server would answer at 100 % CPU: what it answers now, over the share of its CPUs that this takes. Leave 30 % free.",
      [line("{{instance}}", `${perSecond("instance", "sentiment_texts_total")} / (${cpus} / 100)`)],
    ),
    chart("In flight", "short", "Calls that are being answered now.", [
      line("{{instance}}", picked("sentiment_requests_in_flight")),
    ]),
    chart("Stand-by", "ops", "Batches a second that the stand-by ran, by what the primary did.", [
      line("{{outcome}}", perSecond("outcome", "sentiment_stand_by_total")),
    ]),
    chart(
      "Spans",
      "ops",
      "A second, by what became of them: those that failed or were dropped are missing from traces. 0 without tracing.",
      [line("{{outcome}}", perSecond("outcome", "sentiment_spans_total"))],
    ),
    chart("Processes", "short", "By what they do; only with PROCESSES over 1.", [
      line("{{instance}} {{state}}", picked("sentiment_processes")),
    ]),
    chart("Deaths and late scrapes", "short", "In 15 minutes; only with PROCESSES over 1.", [
      line("{{instance}} died", `increase(${picked("sentiment_process_deaths_total")}[15m])`),
      line("{{instance}} late", `increase(${picked("sentiment_process_late_total")}[15m])`),
    ]),
  ],
};

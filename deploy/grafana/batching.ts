import type { Dashboard } from "./dashboard.js";
import { chart, line, mean, perSecond, picked, quantile } from "./panel.js";

const waiting = (metric: string) => `sum by (model) (${picked(metric)})`;

export const batching: Dashboard = {
  name: "batching",
  title: "Batching",
  description: "What waits for the models, how it is put together, and what is refused.",
  panels: [
    chart("Tokens that wait", "short", "What waits for a batch, by model.", [
      line("{{model}}", waiting("sentiment_queue_tokens")),
    ]),
    chart("Rows that wait", "short", "A row is a text, or a window or a sentence of it.", [
      line("{{model}}", waiting("sentiment_queue_rows")),
    ]),
    chart(
      "Wait",
      "s",
      "What an answered row took besides the model: the wait for its batch, and the way to a Triton and back.",
      [
        line("{{model}} p50", quantile(0.5, "model", "sentiment_queue_seconds")),
        line("{{model}} p95", quantile(0.95, "model", "sentiment_queue_seconds")),
      ],
      [0.05, 0.1],
    ),
    chart("Rows of a batch", "short", "Mean, and p95.", [
      line("{{model}} mean", mean("model", "sentiment_batch_rows")),
      line("{{model}} p95", quantile(0.95, "model", "sentiment_batch_rows")),
    ]),
    chart(
      "Padding",
      "percentunit",
      "Mean share of a batch's tokens that is padding. Each costs as much as a real one, unless the model's padding_cost says less: fast a fifth.",
      [line("{{model}}", mean("model", "sentiment_padding_ratio"))],
      [0.3, 0.4],
    ),
    chart("Batches", "ops", "Run a second.", [
      line("{{model}}", perSecond("model", "sentiment_batch_rows_count")),
    ]),
    chart("Rows", "ops", "Run a second.", [
      line("{{model}}", perSecond("model", "sentiment_batch_rows_sum")),
    ]),
    chart("A batch takes", "s", "In the backend, p50 and p95.", [
      line("{{model}} p50", quantile(0.5, "model", "sentiment_model_inference_seconds")),
      line("{{model}} p95", quantile(0.95, "model", "sentiment_model_inference_seconds")),
    ]),
    chart("Tokenizing takes", "s", "Of a text, p50 and p99.", [
      line("p50", quantile(0.5, "", "sentiment_tokenize_seconds")),
      line("p99", quantile(0.99, "", "sentiment_tokenize_seconds")),
    ]),
    chart(
      "Refused for load",
      "ops",
      "Rows a second: the queue was full, they would have come too late, or were given up at their turn. brown_out: answered by fast instead; rate_limited: texts over their caller's quota.",
      [
        line(
          "{{reason}}",
          `${perSecond("reason", "sentiment_shed_total")} or ${perSecond("", "sentiment_batch_rows_sum")} * 0`,
        ),
      ],
    ),
    chart(
      "Refused share",
      "percentunit",
      "Of the rows that needed a model, the share that was refused for load. Of all servers.",
      [line("{{job}}", "job:sentiment_shed:ratio_rate5m")],
      [0.005, 0.01],
    ),
    chart("Wait in Triton", "µs", "Mean time of a request in Triton's own queue.", [
      line(
        "{{model}}",
        "sum by (model) (rate(nv_inference_queue_duration_us[$__rate_interval])) / sum by (model) (rate(nv_inference_request_success[$__rate_interval]))",
      ),
    ]),
  ],
};

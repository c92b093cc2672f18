package main

import (
	"bufio"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const maxSampleBytes = 64 << 10

// A line of /metrics: name, labels, value. What OpenMetrics has behind it, an exemplar, is left alone.
var (
	samplePattern = regexp.MustCompile(`^([a-z_]+)(?:\{([^}]*)\})? (\S+)`)
	labelPattern  = regexp.MustCompile(`(\w+)="([^"]*)"`)
)

// readLiveView adds up what it knows of the lines, and passes over all others.
func readLiveView(from io.Reader) (liveView, error) {
	view := liveView{Latency: histogram{LeSeconds: []float64{}, Counts: []float64{}}}
	buckets := map[float64]float64{}
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxSampleBytes)
	for lines.Scan() {
		parts := samplePattern.FindStringSubmatch(lines.Text())
		if parts == nil {
			continue
		}
		// Only what is no number at all is an error; such a line adds nothing.
		value, err := strconv.ParseFloat(parts[3], 64)
		if err != nil {
			continue
		}
		if bound, isBucket := view.add(parts[1], labelsOf(parts[2]), value); isBucket {
			buckets[bound] += value
		}
	}
	for _, bound := range slices.Sorted(maps.Keys(buckets)) {
		view.Latency.LeSeconds = append(view.Latency.LeSeconds, bound)
		view.Latency.Counts = append(view.Latency.Counts, buckets[bound])
	}
	return view, lines.Err()
}

func labelsOf(text string) map[string]string {
	labels := map[string]string{}
	for _, pair := range labelPattern.FindAllStringSubmatch(text, -1) {
		labels[pair[1]] = pair[2]
	}
	return labels
}

// add takes one sample in; one of a bucket of the latency is left to the caller, with its bound in seconds.
func (v *liveView) add(name string, labels map[string]string, value float64) (bound float64, isBucket bool) {
	switch name {
	case "sentiment_texts_total":
		if labels["outcome"] == "ok" {
			v.Answered += value
		} else {
			v.Failed += value
		}
	case "sentiment_cache_lookups_total":
		v.addLookups(labels["tier"], labels["outcome"], value)
	case "sentiment_batch_rows_count":
		v.Batches += value
	case "sentiment_batch_rows_sum":
		v.Rows += value
	case "sentiment_queue_rows":
		v.Waiting += value
	case "sentiment_request_duration_seconds_bucket", "sentiment_request_duration_seconds_count":
		return v.addLatency(labels, value)
	}
	return 0, false
}

// addLookups: every text is looked for in memory first, and only then in Redis.
func (v *liveView) addLookups(tier, outcome string, value float64) {
	if outcome == "hit" {
		v.Hits += value
	}
	if tier == "memory" && (outcome == "hit" || outcome == "miss") {
		v.Lookups += value
	}
}

// addLatency counts calls that analyze: health, reflection and the like would make it look better than it is.
func (v *liveView) addLatency(labels map[string]string, value float64) (bound float64, isBucket bool) {
	if !slices.Contains([]string{"Analyze", "AnalyzeBatch", "ModelInfer"}, labels["method"]) {
		return 0, false
	}
	le, isOfBucket := labels["le"]
	if !isOfBucket {
		v.Latency.Count += value
		return 0, false
	}
	if strings.HasPrefix(le, "+") {
		return 0, false
	}
	bound, err := strconv.ParseFloat(le, 64)
	return bound, err == nil
}

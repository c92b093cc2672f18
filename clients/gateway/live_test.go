package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
)

// As the server writes them: counters, histograms, labels in any order, exemplars of OpenMetrics.
const scraped = `# HELP sentiment_texts_total Texts
# TYPE sentiment_texts_total counter
sentiment_texts_total{method="Analyze",outcome="ok"} 30
sentiment_texts_total{method="AnalyzeBatch",outcome="ok"} 70
sentiment_texts_total{method="AnalyzeBatch",outcome="TEXT_EMPTY"} 2
sentiment_cache_lookups_total{tier="memory",outcome="hit"} 40
sentiment_cache_lookups_total{tier="memory",outcome="miss"} 60
sentiment_cache_lookups_total{tier="redis",outcome="hit"} 5
sentiment_cache_lookups_total{tier="redis",outcome="miss"} 55
sentiment_cache_lookups_total{tier="redis",outcome="timeout"} 1
sentiment_batch_rows_bucket{le="1",model="sentiment_fast"} 5
sentiment_batch_rows_sum{model="sentiment_fast"} 80
sentiment_batch_rows_count{model="sentiment_fast"} 10
sentiment_batch_rows_sum{model="sentiment_accurate"} 6
sentiment_batch_rows_count{model="sentiment_accurate"} 3
sentiment_queue_rows{model="sentiment_fast"} 4
sentiment_request_duration_seconds_bucket{le="0.001",method="Analyze",endpoint="sentiment.v1.SentimentService"} 10 # {trace_id="4bf92f"} 0.0007 1.7e9
sentiment_request_duration_seconds_bucket{le="0.5",method="Analyze",endpoint="sentiment.v1.SentimentService"} 29
sentiment_request_duration_seconds_bucket{le="+Inf",method="Analyze",endpoint="sentiment.v1.SentimentService"} 30
sentiment_request_duration_seconds_count{method="Analyze",endpoint="sentiment.v1.SentimentService"} 30
sentiment_request_duration_seconds_bucket{le="0.001",method="AnalyzeBatch",endpoint="sentiment.v1.SentimentService"} 1
sentiment_request_duration_seconds_bucket{le="0.5",method="AnalyzeBatch",endpoint="sentiment.v1.SentimentService"} 7
sentiment_request_duration_seconds_count{method="AnalyzeBatch",endpoint="sentiment.v1.SentimentService"} 7
sentiment_request_duration_seconds_bucket{le="0.001",method="Check",endpoint="grpc.health.v1.Health"} 1000
sentiment_request_duration_seconds_count{method="Check",endpoint="grpc.health.v1.Health"} 1000
nothing that is a sample
sentiment_queue_rows{model="sentiment_accurate"} none
# EOF
`

func withMetrics(t *testing.T, serve http.HandlerFunc) *bridge {
	t.Helper()
	metrics := httptest.NewServer(serve)
	t.Cleanup(metrics.Close)
	return startBridge(t, map[string]string{"SENTIMENT_METRICS_URL": metrics.URL + "/metrics"})
}

func (a answer) live(t *testing.T) *liveView {
	t.Helper()
	var said struct{ Live *liveView }
	if err := json.Unmarshal([]byte(a.body), &said); err != nil || a.code != 200 || a.header.Get("Cache-Control") != "no-store" {
		t.Fatal(err, a)
	}
	return said.Live
}

func TestLiveAddsUpTheServersMetrics(t *testing.T) {
	b := withMetrics(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, scraped) })
	said := b.ask(t, "GET", "/api/live", "").live(t)
	want := liveView{AtMs: said.AtMs, Answered: 100, Failed: 2, Lookups: 100, Hits: 45, Batches: 13, Rows: 86, Waiting: 4,
		Latency: histogram{LeSeconds: []float64{0.001, 0.5}, Counts: []float64{11, 36}, Count: 37}}
	if said.AtMs == 0 || !reflect.DeepEqual(*said, want) {
		t.Errorf("%+v", *said)
	}
}

func TestLiveAsksTheServerOnceASecond(t *testing.T) {
	var scrapes atomic.Int32
	b := withMetrics(t, func(w http.ResponseWriter, _ *http.Request) {
		scrapes.Add(1)
		_, _ = io.WriteString(w, scraped)
	})
	first := b.ask(t, "GET", "/api/live", "").live(t)
	for range 20 {
		b.ask(t, "GET", "/api/live", "").live(t)
	}
	// More only where 21 calls take seconds.
	if took := scrapes.Load(); took > 3 || first.Answered != 100 {
		t.Error(took, first)
	}
	b.scraper.until = b.scraper.until.Add(-2 * liveFor)
	before := scrapes.Load()
	b.ask(t, "GET", "/api/live", "").live(t)
	if scrapes.Load() != before+1 {
		t.Error("it is not asked again")
	}
}

func TestLiveWithoutMetrics(t *testing.T) {
	if said := startBridge(t, nil).ask(t, "GET", "/api/live", "").live(t); said != nil {
		t.Error(said)
	}
	for name, serve := range map[string]http.HandlerFunc{
		"an error":   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"a line without end": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("a", 2*maxSampleBytes))
		},
	} {
		reply := withMetrics(t, serve).ask(t, "GET", "/api/live", "")
		if reply.code != 503 || reply.reason(t) != "METRICS_DOWN" || strings.Contains(reply.body, "127.0.0.1") {
			t.Error(name, reply)
		}
	}
}

package main

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	underWay prometheus.Gauge
	streams  prometheus.Gauge
	texts    prometheus.Counter
	answers  prometheus.Counter
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sentiment_gateway_requests_total", Help: "Requests that were answered.",
		}, []string{"method", "endpoint", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sentiment_gateway_request_duration_seconds", Help: "From a request's headers to the end of its answer; of a stream: all of it.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30},
		}, []string{"endpoint"}),
		underWay: prometheus.NewGauge(prometheus.GaugeOpts{Name: "sentiment_gateway_requests_in_flight", Help: "Requests under way, streams too."}),
		streams:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "sentiment_gateway_streams", Help: "Streams under way."}),
		texts:    prometheus.NewCounter(prometheus.CounterOpts{Name: "sentiment_gateway_stream_texts_total", Help: "Texts of streams passed on to the server."}),
		answers:  prometheus.NewCounter(prometheus.CounterOpts{Name: "sentiment_gateway_stream_answers_total", Help: "Answers of streams written to clients."}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.underWay, m.streams, m.texts, m.answers,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

var getPaths = []string{"/", livePath, "/api/models", "/health", "/livez", "/metrics", "/openapi.json"}

// Whatever clients ask for makes no series of its own.
func endpointOf(path string) string {
	if slices.Contains(postPaths, path) || slices.Contains(getPaths, path) {
		return path
	}
	return "other"
}

func methodOf(method string) string {
	if slices.Contains([]string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions}, method) {
		return method
	}
	return "other"
}

func (m *metrics) count(r *http.Request, code int, took time.Duration) {
	endpoint := endpointOf(r.URL.Path)
	m.requests.WithLabelValues(methodOf(r.Method), endpoint, strconv.Itoa(code)).Inc()
	m.duration.WithLabelValues(endpoint).Observe(took.Seconds())
}

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

func TestCORSIsOffUnlessSet(t *testing.T) {
	preflight := []string{"Origin", "https://shop.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type,x-api-key"}
	off := startBridge(t, nil).ask(t, "OPTIONS", "/api/analyze", "", preflight...)
	if off.code != 405 || off.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error(off)
	}
	b := startBridge(t, map[string]string{"CORS_ORIGINS": "https://shop.example, https://other.example"})
	on := b.ask(t, "OPTIONS", "/api/analyze", "", preflight...)
	if on.code != 204 || on.header.Get("Access-Control-Allow-Origin") != "https://shop.example" {
		t.Error(on)
	}
	stranger := b.ask(t, "POST", "/api/analyze", `{"text":"a"}`, "Origin", "https://evil.example")
	if stranger.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error(stranger.header)
	}
}

func TestHealthFollowsTheServer(t *testing.T) {
	b := startBridge(t, nil)
	for _, c := range []struct {
		status healthpb.HealthCheckResponse_ServingStatus
		code   int
	}{{healthpb.HealthCheckResponse_SERVING, 200}, {healthpb.HealthCheckResponse_NOT_SERVING, 503}, {healthpb.HealthCheckResponse_SERVING, 200}} {
		b.health.SetServingStatus("", c.status)
		if reply := b.ask(t, "GET", "/health", ""); reply.code != c.code || reply.body != `{"status":"`+c.status.String()+`"}` {
			t.Error(reply)
		}
	}
	b.beginDrain()
	if reply := b.ask(t, "HEAD", "/health", ""); reply.code != 503 {
		t.Error(reply)
	}
	if reply := b.ask(t, "POST", "/api/analyze", `{"text":"a"}`); reply.code != 200 {
		t.Error("a draining bridge answers still:", reply)
	}
}

func TestTooManyAtOnce(t *testing.T) {
	b := startBridge(t, map[string]string{"MAX_REQUESTS": "1", "MAX_STREAMS": "1"})
	b.requests.take(owner{})
	b.streams.take(owner{})
	for _, path := range []string{"/api/analyze", "/api/analyze/stream"} {
		if reply := b.ask(t, "POST", path, "{}"); reply.code != 429 || reply.reason(t) != "OVERLOADED" || reply.header.Get("Retry-After") != "1" {
			t.Error(reply)
		}
	}
	if reply := b.ask(t, "GET", "/health", ""); reply.code != 200 {
		t.Error(reply)
	}
	b.requests.give(owner{})
	if reply := b.ask(t, "POST", "/api/analyze", "{}"); reply.code != 200 {
		t.Error(reply)
	}
}

func TestABodyThatDoesNotArrive(t *testing.T) {
	b := startBridgeAs(t, nil, func(server *httptest.Server) {
		server.Config.ReadTimeout = 200 * time.Millisecond
		server.Start()
	})
	s := b.post(t, "/api/analyze")
	if _, err := s.write.Write([]byte(`{"text":`)); err != nil {
		t.Fatal(err)
	}
	if reply := <-s.reply; reply.StatusCode != 408 {
		t.Error(reply)
	}
}

func TestAPanicIsAnswered(t *testing.T) {
	b := startBridge(t, nil)
	if err := b.calls.HandlePath("GET", "/panic", func(http.ResponseWriter, *http.Request, map[string]string) { panic("broken") }); err != nil {
		t.Fatal(err)
	}
	if reply := b.ask(t, "GET", "/panic", ""); reply.code != 500 || reply.reason(t) != "BUG" || strings.Contains(reply.body, "broken") {
		t.Error(reply)
	}
}

func TestMetricsAndOpenAPI(t *testing.T) {
	b := startBridge(t, nil)
	b.ask(t, "POST", "/api/analyze", `{"text":"a"}`)
	b.ask(t, "GET", "/api/secret-path", "")
	metrics := b.ask(t, "GET", "/metrics", "").body
	for _, line := range []string{
		`sentiment_gateway_requests_total{code="200",endpoint="/api/analyze",method="POST"} 1`,
		`sentiment_gateway_requests_total{code="404",endpoint="other",method="GET"} 1`,
		`sentiment_gateway_request_duration_seconds_count{endpoint="/api/analyze"} 1`,
	} {
		if !strings.Contains(metrics, line) {
			t.Error("not in /metrics:", line)
		}
	}
	if strings.Contains(metrics, "secret-path") {
		t.Error("a path of a client's in a label")
	}
	var document struct {
		Paths       map[string]any
		Definitions map[string]struct{ Example any }
	}
	if err := json.Unmarshal([]byte(b.ask(t, "GET", "/openapi.json", "").body), &document); err != nil {
		t.Fatal(err)
	}
	if len(document.Paths) != 4 || document.Definitions["AnalyzeRequest"].Example == nil {
		t.Error(document)
	}
}

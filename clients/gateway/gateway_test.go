package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

type answer struct {
	code   int
	header http.Header
	body   string
}

// reason is the ErrorInfo's; "" for an answer that is no error.
func (a answer) reason(t *testing.T) string {
	t.Helper()
	var said struct {
		Details []struct{ Reason, Domain string }
	}
	if err := json.Unmarshal([]byte(a.body), &said); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
	for _, detail := range said.Details {
		if detail.Domain == "sentiment.v1" {
			return detail.Reason
		}
	}
	return ""
}

func (b *bridge) ask(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, b.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	reply, err := b.client.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	said, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{reply.StatusCode, reply.Header, string(said)}
}

func TestAnswersAreProto3JSONWithDefaults(t *testing.T) {
	b := startBridge(t, nil)
	reply := b.ask(t, "POST", "/api/analyze", `{"text":"fine"}`)
	var said struct {
		Sentiment map[string]any `json:"sentiment"`
	}
	if err := json.Unmarshal([]byte(reply.body), &said); err != nil {
		t.Fatal(err)
	}
	if reply.code != 200 || said.Sentiment["model"] != "fine" || said.Sentiment["label"] != "LABEL_NEUTRAL" || said.Sentiment["score"] != 0.0 {
		t.Errorf("%d %s", reply.code, reply.body)
	}
}

func TestErrors(t *testing.T) {
	b := startBridge(t, map[string]string{"MAX_BODY_SIZE": "2k"})
	long := strings.Repeat("a", 3000)
	for _, c := range []struct {
		name, method, path, body string
		headers                  []string
		code                     int
		reason, retryAfter       string
	}{
		{"the server's", "POST", "/api/analyze", `{"text":"empty"}`, nil, 400, "TEXT_EMPTY", ""},
		{"of keys", "POST", "/api/analyze", `{"text":"no key"}`, nil, 401, "KEY_MISSING", ""},
		{"of quotas", "POST", "/api/analyze", `{"text":"quota"}`, nil, 429, "RATE_LIMITED", "2"},
		{"of metadata", "POST", "/api/analyze", `{"text":"metadata"}`, nil, 431, "METADATA_TOO_LARGE", ""},
		{"of gRPC, too large", "POST", "/api/analyze", `{"text":"large"}`, nil, 413, "BODY_TOO_LARGE", ""},
		{"of gRPC, internal", "POST", "/api/analyze", `{"text":"panic"}`, nil, 500, "BUG", ""},
		{"not implemented there", "GET", "/api/models", "", nil, 501, "BUG", ""},
		{"no JSON", "POST", "/api/analyze", `{"text":`, nil, 400, "REQUEST_INVALID", ""},
		{"nothing", "POST", "/api/analyze", "", nil, 400, "REQUEST_INVALID", ""},
		{"more behind it", "POST", "/api/analyze", `{"text":"a"} x`, nil, 400, "REQUEST_INVALID", ""},
		{"an unknown field", "POST", "/api/analyze", `{"teir":"TIER_FAST"}`, nil, 400, "REQUEST_INVALID", ""},
		{"half a character", "POST", "/api/analyze", `{"text":"\ud800"}`, nil, 400, "REQUEST_INVALID", ""},
		{"no UTF-8", "POST", "/api/analyze", "{\"text\":\"\xff\"}", nil, 400, "REQUEST_INVALID", ""},
		{"a bad time", "POST", "/api/analyze", `{"text":"a"}`, []string{"Grpc-Timeout", "soon"}, 400, "REQUEST_INVALID", ""},
		{"too large", "POST", "/api/analyze", `{"text":"` + long + `"}`, nil, 413, "BODY_TOO_LARGE", ""},
		{"too large, inflated", "POST", "/api/analyze", zipped(long), []string{"Content-Encoding", "gzip"}, 413, "BODY_TOO_LARGE", ""},
		{"no gzip", "POST", "/api/analyze", "plain", []string{"Content-Encoding", "gzip"}, 400, "REQUEST_INVALID", ""},
		{"another coding", "POST", "/api/analyze", "plain", []string{"Content-Encoding", "br"}, 415, "ENCODING_UNKNOWN", ""},
		{"an unknown path", "GET", "/api/nothing", "", nil, 404, "PATH_UNKNOWN", ""},
		{"a wrong method", "GET", "/api/analyze", "", nil, 405, "METHOD_NOT_ALLOWED", ""},
		{"a method in disguise", "POST", "/api/models", "", []string{"X-HTTP-Method-Override", "GET", "Content-Type", "application/x-www-form-urlencoded"}, 405, "METHOD_NOT_ALLOWED", ""},
		{"a bad line", "POST", "/api/analyze/stream", "{", nil, 400, "REQUEST_INVALID", ""},
		{"a stream that is not read", "POST", "/api/analyze/stream", `{"text":"not taken"}`, nil, 429, "READER_STOPPED", ""},
		{"a stream that is refused", "POST", "/api/analyze/stream", `{"text":"end"}`, nil, 401, "KEY_UNKNOWN", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			reply := b.ask(t, c.method, c.path, c.body, c.headers...)
			if reply.code != c.code || reply.reason(t) != c.reason || reply.header.Get("Retry-After") != c.retryAfter {
				t.Errorf("%d %v %s", reply.code, reply.header, reply.body)
			}
			if reply.header.Get("Content-Type") != "application/json" {
				t.Error(reply.header)
			}
		})
	}
}

func zipped(text string) string {
	var out bytes.Buffer
	writer := gzip.NewWriter(&out)
	_, _ = writer.Write([]byte(text))
	_ = writer.Close()
	return out.String()
}

func TestAServerThatIsGone(t *testing.T) {
	b := startBridge(t, nil)
	b.stop()
	reply := b.ask(t, "POST", "/api/analyze", `{"text":"a"}`)
	if reply.code != 503 || reply.reason(t) != "SERVER_DOWN" || reply.header.Get("Retry-After") != "1" || strings.Contains(reply.body, "127.0.0.1") {
		t.Errorf("%d %v %s", reply.code, reply.header, reply.body)
	}
	if health := b.ask(t, "GET", "/health", ""); health.code != 503 || health.body != `{"status":"NOT_SERVING"}` {
		t.Error(health)
	}
	if live := b.ask(t, "GET", "/livez", ""); live.code != 200 {
		t.Error(live)
	}
}

func TestUnavailableAloneIsTriedAgain(t *testing.T) {
	b := startBridge(t, nil)
	large := "flaky" + strings.Repeat("a", 3<<20)
	if reply := b.ask(t, "POST", "/api/analyze", `{"text":"`+large+`"}`); reply.code != 200 || len(b.front.calls) != 2 {
		t.Error(reply.code, len(b.front.calls))
	}
	if reply := b.ask(t, "POST", "/api/analyze", `{"text":"quota"}`); reply.code != 429 || len(b.front.calls) != 3 {
		t.Error(reply, len(b.front.calls))
	}
}

func TestHeadersGoAlong(t *testing.T) {
	b := startBridge(t, nil)
	trace := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	b.ask(t, "POST", "/api/analyze", `{"text":"a"}`, "Authorization", "Bearer k", "X-Api-Key", "k2", "Traceparent", trace,
		"Tracestate", "a=b", "Grpc-Metadata-Role", "admin", "Cookie", "c")
	md := <-b.front.metadata
	for name, want := range map[string]string{"authorization": "Bearer k", "x-api-key": "k2", "traceparent": trace, "tracestate": "a=b",
		"role": "", "cookie": "", "grpcgateway-cookie": "", "grpcgateway-authorization": ""} {
		if got := strings.Join(md.Get(name), ","); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// gRPC fails a call whose metadata has such bytes: grpc-gateway must not take them over.
func TestHeadersThatMetadataCannotHaveAreLeftOut(t *testing.T) {
	b := startBridge(t, nil)
	for _, name := range []string{"Authorization", "X-Api-Key", "Traceparent", "X-Forwarded-For", "X-Forwarded-Host"} {
		for _, value := range []string{"Bearer cl\u00e9", "Bearer\tk", "\xff"} {
			for _, path := range []string{"/api/analyze", streamPath} {
				if reply := b.ask(t, "POST", path, `{"text":"a"}`, name, value); reply.code != 200 {
					t.Errorf("%s: %q to %s: %d %s", name, value, path, reply.code, reply.body)
				}
			}
		}
	}
}

func TestDeadlines(t *testing.T) {
	b := startBridge(t, map[string]string{"REQUEST_TIMEOUT": "60"})
	b.ask(t, "POST", "/api/analyze", `{"text":"a"}`)
	if left := <-b.front.deadline; left > time.Minute || left < 30*time.Second {
		t.Error(left)
	}
	b.ask(t, "POST", "/api/analyze", `{"text":"a"}`, "Grpc-Timeout", "20S")
	if left := <-b.front.deadline; left > 20*time.Second {
		t.Error(left)
	}
	b.ask(t, "POST", "/api/analyze", `{"text":"a"}`, "Grpc-Timeout", "2H")
	if left := <-b.front.deadline; left > time.Minute {
		t.Error(left)
	}
	reply := b.ask(t, "POST", "/api/analyze", `{"text":"wait"}`, "Grpc-Timeout", "20m")
	if reply.code != 504 || reply.reason(t) != "DEADLINE" {
		t.Errorf("%d %s", reply.code, reply.body)
	}
}

func TestGzip(t *testing.T) {
	b := startBridge(t, nil)
	body := zipped(`{"text":"` + strings.Repeat("a", 5000) + `"}`)
	reply := b.ask(t, "POST", "/api/analyze", body, "Content-Encoding", "gzip", "Accept-Encoding", "gzip")
	reader, err := gzip.NewReader(strings.NewReader(reply.body))
	if err != nil {
		t.Fatal(err)
	}
	inflated, err := io.ReadAll(reader)
	if err != nil || reply.header.Get("Content-Encoding") != "gzip" || !strings.Contains(string(inflated), "aaaa") {
		t.Error(err, reply.header, string(inflated))
	}
}

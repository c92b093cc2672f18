package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// probe is what `healthcheck` says with these settings about what listens at address.
func probe(t *testing.T, address string, values map[string]string) error {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"GATEWAY_PORT": at.Port()}
	for name, value := range values {
		all[name] = value
	}
	return healthcheck(t.Context(), settings(all), io.Discard)
}

func TestHealthcheckOfABridge(t *testing.T) {
	// In images it listens on all addresses.
	for _, bound := range []string{"127.0.0.1", "0.0.0.0"} {
		if err := probe(t, startBridge(t, nil).url, map[string]string{"BIND_ADDRESS": bound}); err != nil {
			t.Error(bound, err)
		}
	}
	// The certificate is for example.com, and signed by nobody that is known.
	secure := startBridgeAs(t, nil, (*httptest.Server).StartTLS)
	if err := probe(t, secure.url, map[string]string{"TLS_CERT": "cert.pem", "TLS_KEY": "key.pem"}); err != nil {
		t.Error(err)
	}
	if err := probe(t, secure.url, nil); err == nil {
		t.Error("plaintext to TLS")
	}
}

func TestHealthcheckOfWhatDoesNotAnswer(t *testing.T) {
	ill := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/livez" {
			t.Error(r.URL)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	if err := probe(t, ill.URL, nil); err == nil || !strings.Contains(err.Error(), "503") {
		t.Error(err)
	}
	ill.Close()
	if err := probe(t, ill.URL, nil); err == nil {
		t.Error("nobody is there")
	}
	for name, value := range map[string]string{"GATEWAY_PORT": "0", "LOG_LEVEL": "loud"} {
		if err := probe(t, ill.URL, map[string]string{name: value}); err == nil || !strings.Contains(err.Error(), name) {
			t.Error(name, err)
		}
	}
}

func TestWhereHealthcheckAsks(t *testing.T) {
	for bound, want := range map[string]string{
		"":          "http://127.0.0.1:8080/livez",
		"0.0.0.0":   "http://127.0.0.1:8080/livez",
		"::":        "http://[::1]:8080/livez",
		"fd00::7":   "http://[fd00::7]:8080/livez",
		"127.0.0.9": "http://127.0.0.9:8080/livez",
	} {
		config, err := loadConfig(settings(map[string]string{"BIND_ADDRESS": bound}))
		if got := livezOf(config); got != want || err != nil {
			t.Error(bound, got, err)
		}
	}
}

func TestCommands(t *testing.T) {
	for _, arguments := range [][]string{nil, {"healthcheck"}} {
		if command, err := commandOf(arguments); command == nil || err != nil {
			t.Error(arguments, err)
		}
	}
	command, _ := commandOf([]string{"healthcheck"})
	if err := command(context.Background(), settings(map[string]string{"GATEWAY_PORT": "0"}), io.Discard); err == nil || !strings.Contains(err.Error(), "GATEWAY_PORT") {
		t.Error(err)
	}
	if _, err := commandOf([]string{"serve", "fast"}); err == nil || !strings.Contains(err.Error(), "healthcheck") {
		t.Error(err)
	}
}

package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func settings(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestSettings(t *testing.T) {
	config, err := loadConfig(settings(nil))
	if err != nil || config.Port != 8080 || config.BindAddress != "127.0.0.1" || config.Front != "127.0.0.1:50051" ||
		config.MaxBody != 10<<20 || config.Timeout != 30*time.Second || len(config.CORSOrigins) != 0 || config.LogLevel != slog.LevelInfo {
		t.Error(config, err)
	}
	for value, want := range map[string]int64{"512k": 512 << 10, "10MB": 10 << 20, "1g": 1 << 30, "77": 77, "": 10 << 20} {
		config, err := loadConfig(settings(map[string]string{"MAX_BODY_SIZE": value}))
		if err != nil || config.MaxBody != want {
			t.Error(value, config.MaxBody, err)
		}
	}
}

func TestWhatTheServerTakesIsTakenOfSettingsForBoth(t *testing.T) {
	for value, want := range map[string]slog.Level{"trace": slog.LevelDebug, "debug": slog.LevelDebug, "warn": slog.LevelWarn, "fatal": slog.LevelError} {
		config, err := loadConfig(settings(map[string]string{"LOG_LEVEL": value, "STREAM_IDLE_TIMEOUT": "0"}))
		if err != nil || config.LogLevel != want || config.StreamTimeout != 0 {
			t.Error(value, config.LogLevel, config.StreamTimeout, err)
		}
	}
}

func TestAllFaultsAreNamedAtOnce(t *testing.T) {
	bad := map[string]string{"GATEWAY_PORT": "x", "REQUEST_TIMEOUT": "0", "MAX_BODY_SIZE": "big", "CORS_ORIGINS": "shop", "LOG_LEVEL": "loud",
		"TLS_CERT": "a.pem", "SENTIMENT_KEY": "k.pem", "DRAIN_DELAY": "-1",
		"SENTIMENT_METRICS_URL": "127.0.0.1:9464"}
	_, err := loadConfig(settings(bad))
	if err == nil {
		t.Fatal("no fault")
	}
	for _, name := range []string{"GATEWAY_PORT", "REQUEST_TIMEOUT", "MAX_BODY_SIZE", "CORS_ORIGINS", "LOG_LEVEL", "TLS_KEY", "SENTIMENT_CERT", "DRAIN_DELAY",
		"SENTIMENT_METRICS_URL"} {
		if !strings.Contains(err.Error(), "\n  "+name+": ") {
			t.Error("not named:", name, err)
		}
	}
}

func TestRunEndsWithWhatCannotBe(t *testing.T) {
	for _, values := range []map[string]string{
		{"BIND_ADDRESS": "192.0.2.1"}, {"SENTIMENT_CA": "/nothing"}, {"TLS_CERT": "/nothing", "TLS_KEY": "/nothing"},
	} {
		values["GATEWAY_PORT"] = "0"
		if err := run(context.Background(), settings(values), new(bytes.Buffer)); err == nil {
			t.Error("no fault:", values)
		}
	}
}

package main

import (
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Config is what the environment sets: README.md has the names.
type Config struct {
	Port        int
	BindAddress string
	// Front is the target of gRPC: host:port, or a name for all of whose addresses calls are dealt out.
	Front     string
	FrontCA   string
	FrontCert string
	FrontKey  string
	// MetricsURL is where the server tells its metrics; "": the console shows its own traffic alone.
	MetricsURL    string
	TLSCert       string
	TLSKey        string
	CORSOrigins   []string
	Timeout       time.Duration
	MaxBody       int64
	MaxRequests   int
	MaxStreams    int
	StreamTimeout time.Duration
	DrainDelay    time.Duration
	DrainTimeout  time.Duration
	LogLevel      slog.Level
}

// environment reads settings and keeps every fault, so that all of them are named at once.
type environment struct {
	getenv func(string) string
	faults []string
}

// loadConfig fails with one error that names every fault. An empty value counts as unset.
func loadConfig(getenv func(string) string) (Config, error) {
	env := &environment{getenv: getenv}
	config := Config{
		Port:          env.whole("GATEWAY_PORT", 8080, 0, 65535),
		BindAddress:   env.text("BIND_ADDRESS", "127.0.0.1"),
		Front:         env.text("SENTIMENT_ADDRESS", "127.0.0.1:50051"),
		FrontCA:       env.text("SENTIMENT_CA", ""),
		FrontCert:     env.text("SENTIMENT_CERT", ""),
		FrontKey:      env.text("SENTIMENT_KEY", ""),
		MetricsURL:    env.url("SENTIMENT_METRICS_URL"),
		TLSCert:       env.text("TLS_CERT", ""),
		TLSKey:        env.text("TLS_KEY", ""),
		CORSOrigins:   env.origins("CORS_ORIGINS"),
		Timeout:       env.seconds("REQUEST_TIMEOUT", 30, 1, 3600),
		MaxBody:       env.size("MAX_BODY_SIZE", 10<<20),
		MaxRequests:   env.whole("MAX_REQUESTS", 1000, 1, 1_000_000),
		MaxStreams:    env.whole("MAX_STREAMS", 100, 1, 1_000_000),
		StreamTimeout: env.seconds("STREAM_IDLE_TIMEOUT", 300, 0, 86_400),
		DrainDelay:    env.seconds("DRAIN_DELAY", 5, 0, 3600),
		DrainTimeout:  env.seconds("DRAIN_TIMEOUT", 30, 1, 3600),
		LogLevel:      env.level("LOG_LEVEL"),
	}
	env.pair("TLS_CERT", "TLS_KEY")
	env.pair("SENTIMENT_CERT", "SENTIMENT_KEY")
	if config.FrontCert != "" && config.FrontCA == "" {
		env.fault("SENTIMENT_CERT", "needs SENTIMENT_CA too: the CA of the server, or system")
	}
	if len(env.faults) > 0 {
		return Config{}, fmt.Errorf("bad settings:\n  %s", strings.Join(env.faults, "\n  "))
	}
	return config, nil
}

func (e *environment) fault(name, what string) {
	e.faults = append(e.faults, fmt.Sprintf("%s: %s (is %q)", name, what, e.getenv(name)))
}

func (e *environment) text(name, unset string) string {
	if value := e.getenv(name); value != "" {
		return value
	}
	return unset
}

func (e *environment) whole(name string, unset, least, most int) int {
	value, err := strconv.Atoi(e.text(name, strconv.Itoa(unset)))
	if err != nil || value < least || value > most {
		e.fault(name, fmt.Sprintf("must be a whole number from %d to %d", least, most))
		return unset
	}
	return value
}

func (e *environment) seconds(name string, unset, least, most int) time.Duration {
	return time.Duration(e.whole(name, unset, least, most)) * time.Second
}

var sizePattern = regexp.MustCompile(`(?i)^([1-9]\d{0,9})([kmg]?)b?$`)
var sizeUnits = map[string]int64{"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}

// size reads bytes, as in 10MB, 512k or 1048576: powers of 1024, as the server's settings.
func (e *environment) size(name string, unset int64) int64 {
	value := e.text(name, strconv.FormatInt(unset, 10))
	parts := sizePattern.FindStringSubmatch(value)
	if parts == nil {
		e.fault(name, "must be a size, such as 10MB or 512k")
		return unset
	}
	number, _ := strconv.ParseInt(parts[1], 10, 64)
	return number * sizeUnits[strings.ToLower(parts[2])]
}

var originPattern = regexp.MustCompile(`^(\*|https?://[^\s,/]+)$`)

func (e *environment) origins(name string) []string {
	var origins []string
	for part := range strings.SplitSeq(e.getenv(name), ",") {
		origin := strings.TrimSpace(part)
		if origin == "" {
			continue
		}
		if !originPattern.MatchString(origin) {
			e.fault(name, "must be origins as in https://example.org, with commas, or *")
			return nil
		}
		origins = append(origins, origin)
	}
	return origins
}

func (e *environment) url(name string) string {
	value := e.getenv(name)
	if at, err := url.Parse(value); value != "" && (err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https") {
		e.fault(name, "must be a URL as in http://127.0.0.1:9464/metrics")
	}
	return value
}

func (e *environment) level(name string) slog.Level {
	said := e.text(name, "info")
	// The server has a level more at either end, and both are told by the same variable.
	if nearest, ok := map[string]slog.Level{"trace": slog.LevelDebug, "fatal": slog.LevelError}[said]; ok {
		return nearest
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(said)); err != nil {
		e.fault(name, "must be trace, debug, info, warn, error or fatal")
	}
	return level
}

// pair wants both settings or none.
func (e *environment) pair(one, other string) {
	if e.getenv(one) != "" && e.getenv(other) == "" {
		e.fault(other, "must be set where "+one+" is")
	}
	if e.getenv(other) != "" && e.getenv(one) == "" {
		e.fault(one, "must be set where "+other+" is")
	}
}

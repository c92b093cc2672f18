package main

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"
	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"

	handlers "sentiment-analyzer-pro/clients/gateway/gen/sentiment/v1"
	pb "sentiment-analyzer-pro/clients/go/gen/sentiment/v1"
)

const streamPath = "/api/analyze/stream"

var postPaths = []string{"/api/analyze", "/api/analyze/batch", streamPath}

//go:embed gen/openapi.json
var openAPI []byte

// Gateway is all of the bridge but its port.
type Gateway struct {
	config   Config
	log      *slog.Logger
	analyzer pb.SentimentServiceClient
	health   healthpb.HealthClient
	metrics  *metrics
	// calls has grpc-gateway's routes, and those of the bridge itself.
	calls   *runtime.ServeMux
	console console
	// scraper is nil where there are no metrics to look at.
	scraper  *scraper
	requests *places
	streams  *places
	bodies   budget
	zip      func(http.Handler) http.HandlerFunc

	draining   context.Context
	beginDrain context.CancelFunc
	ending     context.Context
	endStreams context.CancelFunc
}

func newGateway(config Config, front grpc.ClientConnInterface, log *slog.Logger) (*Gateway, error) {
	g := &Gateway{
		config:   config,
		log:      log,
		analyzer: pb.NewSentimentServiceClient(front),
		health:   healthpb.NewHealthClient(front),
		metrics:  newMetrics(),
		requests: newPlaces(config.MaxRequests),
		streams:  newPlaces(config.MaxStreams),
		bodies:   budget{most: int64(config.MaxRequests) * (config.MaxBody + 1 + comingBytes + inflatingBytes)},
	}
	var err error
	if g.zip, err = gzhttp.NewWrapper(gzhttp.EnableZstd(false)); err != nil {
		return nil, fmt.Errorf("gzip: %w", err)
	}
	if g.console, err = newConsole(consoleFiles); err != nil {
		return nil, err
	}
	if config.MetricsURL != "" {
		g.scraper = newScraper(config.MetricsURL)
	}
	g.draining, g.beginDrain = context.WithCancel(context.Background())
	g.ending, g.endStreams = context.WithCancel(context.Background())
	g.calls = runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, newStrictJSON()),
		runtime.WithIncomingHeaderMatcher(passedOn),
		runtime.WithOutgoingHeaderMatcher(notPassedBack),
		runtime.WithOutgoingTrailerMatcher(notPassedBack),
		runtime.WithErrorHandler(g.onError),
		runtime.WithRoutingErrorHandler(g.onRoutingError),
		runtime.WithDisablePathLengthFallback(),
		runtime.WithDisableHTTPMethodOverride(),
	)
	if err := handlers.RegisterSentimentServiceHandlerClient(context.Background(), g.calls, g.analyzer); err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	return g, g.addOwnRoutes()
}

// addOwnRoutes comes after the generated ones: of two for one path the later one is used.
func (g *Gateway) addOwnRoutes() error {
	routes := []struct {
		method, path string
		serve        http.HandlerFunc
	}{
		{http.MethodPost, streamPath, g.serveStream},
		{http.MethodGet, "/health", g.serveHealth},
		{http.MethodHead, "/health", g.serveHealth},
		{http.MethodGet, "/livez", serveLive},
		{http.MethodGet, "/openapi.json", serveOpenAPI},
		{http.MethodGet, "/metrics", g.metrics.handler().ServeHTTP},
		{http.MethodGet, "/", g.serveConsole},
		{http.MethodHead, "/", g.serveConsole},
		{http.MethodGet, assetPrefix + "{name}", g.serveConsole},
		{http.MethodHead, assetPrefix + "{name}", g.serveConsole},
		{http.MethodGet, livePath, g.serveLiveView},
	}
	for _, route := range routes {
		serve := route.serve
		err := g.calls.HandlePath(route.method, route.path, func(w http.ResponseWriter, r *http.Request, _ map[string]string) { serve(w, r) })
		if err != nil {
			return fmt.Errorf("route %s: %w", route.path, err)
		}
	}
	return nil
}

// handler is what a request meets, outermost first.
func (g *Gateway) handler() http.Handler {
	zipped := g.zip(g.bounded(g.calls))
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		// A stream bounds and a scrape compresses itself; health is asked for when there is no place left, too.
		if strings.HasPrefix(r.URL.Path, "/api/") && r.URL.Path != streamPath || r.URL.Path == "/openapi.json" || ofConsole(r.URL.Path) {
			zipped.ServeHTTP(w, r)
			return
		}
		g.calls.ServeHTTP(w, r)
	})
	if len(g.config.CORSOrigins) > 0 {
		handler = cors.New(cors.Options{
			AllowedOrigins: g.config.CORSOrigins,
			AllowedMethods: []string{http.MethodGet, http.MethodHead, http.MethodPost},
			AllowedHeaders: []string{"Content-Type", "Content-Encoding", "Authorization", "X-Api-Key", "Grpc-Timeout", "Traceparent", "Tracestate"},
			ExposedHeaders: []string{"Retry-After"},
			MaxAge:         600,
		}).Handler(handler)
	}
	return g.observed(handler)
}

// passedOn tells which headers go along as metadata, beside authorization, which always does: none that a server might trust.
func passedOn(header string) (string, bool) {
	switch header {
	case "X-Api-Key", "Traceparent", "Tracestate":
		return strings.ToLower(header), true
	default:
		return "", false
	}
}

func notPassedBack(string) (string, bool) { return "", false }

func serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openAPI)
}

func serveLive(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }

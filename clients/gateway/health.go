package main

import (
	"context"
	"io"
	"net/http"
	"time"

	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

const healthTimeout = 2 * time.Second

// serveHealth says what the server says of itself, until the bridge ends.
func (g *Gateway) serveHealth(w http.ResponseWriter, r *http.Request) {
	code, said := http.StatusServiceUnavailable, healthpb.HealthCheckResponse_NOT_SERVING
	if g.draining.Err() == nil && g.frontServes(r.Context()) {
		code, said = http.StatusOK, healthpb.HealthCheckResponse_SERVING
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, `{"status":"`+said.String()+`"}`)
}

func (g *Gateway) frontServes(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	reply, err := g.health.Check(ctx, &healthpb.HealthCheckRequest{})
	return err == nil && reply.GetStatus() == healthpb.HealthCheckResponse_SERVING
}

// Command gateway answers HTTP and JSON for a Sentiment Analyzer Pro server: the calls of sentiment.v1 as REST.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"google.golang.org/grpc/grpclog"
)

func main() {
	// Its lines are no JSON, and what matters of them comes back as errors.
	grpclog.SetLoggerV2(grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard))
	stop, restore := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	// A second signal ends at once.
	context.AfterFunc(stop, restore)
	command, err := commandOf(os.Args[1:])
	if err == nil {
		err = command(stop, os.Getenv, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// commandOf is what the arguments ask for: to serve, or, once it is served, whether it is.
func commandOf(arguments []string) (func(context.Context, func(string) string, io.Writer) error, error) {
	switch strings.Join(arguments, " ") {
	case "":
		return run, nil
	case "healthcheck":
		return healthcheck, nil
	}
	return nil, fmt.Errorf("unknown: %q; without arguments it serves, with healthcheck it asks whether it does", arguments)
}

// run serves until stop is done, and then drains.
func run(stop context.Context, getenv func(string) string, logTo io.Writer) error {
	config, err := loadConfig(getenv)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(logTo, &slog.HandlerOptions{Level: config.LogLevel}))
	front, err := dial(config, log)
	if err != nil {
		return err
	}
	defer front.Close()
	gateway, err := newGateway(config, front, log)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(config.BindAddress, strconv.Itoa(config.Port)))
	if err != nil {
		return fmt.Errorf("cannot listen: %w; set GATEWAY_PORT or BIND_ADDRESS", err)
	}
	server, err := newServer(config, gateway, log)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- serve(server, listener) }()
	log.Info("listening", "address", listener.Addr().String(), "tls", config.TLSCert != "", "front", config.Front)
	select {
	case err := <-served:
		return err
	case <-stop.Done():
		return drain(config, gateway, server, log)
	}
}

func serve(server *http.Server, listener net.Listener) error {
	if server.TLSConfig != nil {
		return server.ServeTLS(listener, "", "")
	}
	return server.Serve(listener)
}

// drain says first that no more calls are wanted, so that load balancers look elsewhere, and then finishes what is under way.
func drain(config Config, gateway *Gateway, server *http.Server, log *slog.Logger) error {
	log.Info("draining", "delay", config.DrainDelay.String())
	gateway.beginDrain()
	time.Sleep(config.DrainDelay)
	gateway.endStreams()
	ctx, cancel := context.WithTimeout(context.Background(), config.DrainTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		log.Warn("calls were cut off: they took longer than DRAIN_TIMEOUT")
		return server.Close()
	}
	log.Info("drained")
	return err
}

package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

const (
	// Time for headers, and for an answer to be taken once it is made.
	slack          = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 32 << 10
)

// newServer bounds what a client may take: time, headers and, by HTTP/2, requests on one connection.
func newServer(config Config, gateway *Gateway, log *slog.Logger) (*http.Server, error) {
	server := &http.Server{
		Handler:           gateway.handler(),
		ReadHeaderTimeout: slack,
		ReadTimeout:       config.Timeout + slack,
		WriteTimeout:      2 * (config.Timeout + slack),
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 250},
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	if config.TLSCert != "" {
		pair, err := newKeyPair(config.TLSCert, config.TLSKey, log)
		if err != nil {
			return nil, fmt.Errorf("TLS_CERT, TLS_KEY: %w", err)
		}
		server.TLSConfig = &tls.Config{
			MinVersion:     tls.VersionTLS12,
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.current(), nil },
		}
	}
	return server, nil
}

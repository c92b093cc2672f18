package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

const probeTimeout = 2 * time.Second

// healthcheck asks the bridge that runs with the same settings on this machine whether it is alive: for images, which have nothing else in them to ask with.
func healthcheck(ctx context.Context, getenv func(string) string, _ io.Writer) error {
	config, err := loadConfig(getenv)
	if err != nil {
		return err
	}
	if config.Port == 0 {
		return errors.New("GATEWAY_PORT is 0: nothing tells which port the bridge has taken")
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, livezOf(config), http.NoBody)
	if err != nil {
		return err
	}
	// The certificate is for the name by which others ask. A proxy of the environment is for other machines.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}
	reply, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", request.URL, reply.Status)
	}
	return nil
}

// livezOf is where the bridge is reached from its own machine.
func livezOf(config Config) string {
	scheme, host := "http", config.BindAddress
	if config.TLSCert != "" {
		scheme = "https"
	}
	// Listening on all addresses is no address to ask.
	switch host {
	case "0.0.0.0":
		host = "127.0.0.1"
	case "::":
		host = "::1"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(config.Port)) + "/livez"
}

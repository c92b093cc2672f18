package sentiment

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc"
)

// Option sets a [Client] up.
type Option func(*config)

type config struct {
	apiKey  string
	timeout time.Duration
	tls     tlsFiles
	dial    []grpc.DialOption
	faults  []error
}

// newConfig fails with one error that names every fault.
func newConfig(options []Option) (*config, error) {
	config := &config{timeout: 30 * time.Second}
	for _, option := range options {
		option(config)
	}
	return config, errors.Join(config.faults...)
}

func (c *config) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf(format, args...))
}

// WithAPIKey sends a key, or a token, with every call. Without TLS it travels readable. An empty key is none.
func WithAPIKey(key string) Option {
	return func(c *config) {
		for _, letter := range []byte(key) {
			if letter < 0x21 || letter > 0x7e {
				// Errors are logged: the key is not repeated.
				c.fault("WithAPIKey: the key has a character that no key has (a space, a line's end, or none of ASCII): check where it was read from")
				return
			}
		}
		c.apiKey = key
	}
}

// WithTimeout sets how long a call may take whose context has no deadline, and each call of [Client.AnalyzeAll]. Default: 30 s.
func WithTimeout(timeout time.Duration) Option {
	return func(c *config) {
		if timeout <= 0 {
			c.fault("WithTimeout(%v): must be over 0", timeout)
		}
		c.timeout = timeout
	}
}

// WithTLS encrypts, and trusts servers whose certificate the system's CAs have signed. Default: plaintext.
func WithTLS() Option { return func(c *config) { c.tls.on = true } }

// WithCA encrypts, and trusts servers whose certificate a CA of this file (PEM) has signed.
func WithCA(file string) Option {
	return func(c *config) { c.tls.on, c.tls.ca = true, file }
}

// WithClientCertificate encrypts, and shows the server this certificate (mutual TLS). Both files are PEM, and are read again for each
// connection, so that they may be replaced.
func WithClientCertificate(certFile, keyFile string) Option {
	return func(c *config) { c.tls.on, c.tls.cert, c.tls.key = true, certFile, keyFile }
}

// WithDialOptions passes options on to gRPC: interceptors, stats handlers (OpenTelemetry's otelgrpc), or anything that is to be other
// than it is here, since the last one set counts.
func WithDialOptions(options ...grpc.DialOption) Option {
	return func(c *config) { c.dial = append(c.dial, options...) }
}

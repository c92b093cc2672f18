package sentiment

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

type tlsFiles struct {
	on            bool
	ca, cert, key string
}

func (f tlsFiles) credentials() (credentials.TransportCredentials, error) {
	if !f.on {
		return insecure.NewCredentials(), nil
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fmt.Errorf("WithCA: %w", err)
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("WithCA: %s has no certificate in PEM", f.ca)
		}
	}
	if f.cert != "" || f.key != "" {
		if _, err := f.certificate(nil); err != nil {
			return nil, fmt.Errorf("WithClientCertificate: %w", err)
		}
		settings.GetClientCertificate = f.certificate
	}
	return credentials.NewTLS(settings), nil
}

// certificate fails a handshake while one file is replaced and the other is not yet; gRPC connects again.
func (f tlsFiles) certificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(f.cert, f.key)
	return &pair, err
}

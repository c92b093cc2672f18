package sentiment_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	sentiment "sentiment-analyzer-pro/clients/go"
	"sentiment-analyzer-pro/clients/go/internal/servertest"
)

type pair struct{ cert, key string }

// certificate has openssl make one for this machine; by nobody: it signs itself, and may sign others.
func certificate(t *testing.T, folder, name string, by *pair) pair {
	t.Helper()
	made := pair{filepath.Join(folder, name+".pem"), filepath.Join(folder, name+".key")}
	arguments := []string{"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
		"-subj", "/CN=" + name, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", made.key, "-out", made.cert}
	if by != nil {
		arguments = append(arguments, "-CA", by.cert, "-CAkey", by.key, "-addext", "basicConstraints=critical,CA:FALSE")
	}
	if said, err := exec.Command("openssl", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return made
}

// tried asks once; the handshake's failure is UNAVAILABLE, which gRPC tries again.
func tried(t *testing.T, address string, options ...sentiment.Option) error {
	t.Helper()
	_, err := connect(t, address, append(options, sentiment.WithTimeout(20*time.Second))...).Analyze(t.Context(), "It works.")
	return err
}

func expectNoConnection(t *testing.T, err error) {
	t.Helper()
	if own := failure(t, err); own.Code != codes.Unavailable || own.Reason != "" {
		t.Error(own)
	}
}

func TestTLS(t *testing.T) {
	folder := t.TempDir()
	ca := certificate(t, folder, "ca", nil)
	served := certificate(t, folder, "server", &ca)
	other := certificate(t, folder, "other", nil)
	address := servertest.Start(t, "TLS_CERT="+served.cert, "TLS_KEY="+served.key).Address
	if err := tried(t, address, sentiment.WithCA(ca.cert)); err != nil {
		t.Error(err)
	}
	// Go reads the system's CAs once: this test is the only one that needs them.
	t.Setenv("SSL_CERT_FILE", ca.cert)
	if err := tried(t, address, sentiment.WithTLS()); err != nil {
		t.Error("by the system's CAs:", err)
	}
	expectNoConnection(t, tried(t, address, sentiment.WithCA(other.cert)))
	expectNoConnection(t, tried(t, address))
}

func TestMutualTLS(t *testing.T) {
	folder := t.TempDir()
	ca := certificate(t, folder, "ca", nil)
	served, mine := certificate(t, folder, "server", &ca), certificate(t, folder, "client", &ca)
	stranger := certificate(t, folder, "stranger", nil)
	address := servertest.Start(t, "TLS_CERT="+served.cert, "TLS_KEY="+served.key, "TLS_CLIENT_CA="+ca.cert).Address
	trust := sentiment.WithCA(ca.cert)
	if err := tried(t, address, trust, sentiment.WithClientCertificate(mine.cert, mine.key)); err != nil {
		t.Error(err)
	}
	expectNoConnection(t, tried(t, address, trust))
	expectNoConnection(t, tried(t, address, trust, sentiment.WithClientCertificate(stranger.cert, stranger.key)))

	// The files are those of a stranger, and are replaced.
	client := connect(t, address, trust, sentiment.WithClientCertificate(stranger.cert, stranger.key))
	for from, to := range map[string]string{mine.cert: stranger.cert, mine.key: stranger.key} {
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.Analyze(t.Context(), "It works."); err != nil {
		t.Error("a replaced certificate:", err)
	}
}

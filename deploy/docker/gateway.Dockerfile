# The REST bridge, with the console in it. `make images` builds it from the root of the tree; docs/operations.md, "Images", says what is in it and how to run it.
# How to pin the bases by digest: see Dockerfile beside this file.
ARG NODE_IMAGE=docker.io/library/node:24.21.0-bookworm-slim
ARG GO_IMAGE=docker.io/library/golang:1.26.8-bookworm

FROM ${NODE_IMAGE} AS console
WORKDIR /src/clients/console
COPY clients/console/package.json clients/console/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY clients/console ./
RUN npm run --silent build -- --logLevel warn

FROM ${GO_IMAGE} AS program
WORKDIR /src/clients/gateway
ENV CGO_ENABLED=0 GOFLAGS=-mod=readonly GOTOOLCHAIN=local
COPY clients/go/go.mod clients/go/go.sum ../go/
COPY clients/gateway/go.mod clients/gateway/go.sum ./
RUN go mod download
COPY clients/go ../go
COPY clients/gateway ./
COPY --from=console /src/clients/gateway/console/dist console/dist
RUN go build -trimpath -ldflags='-s -w' -o /sentiment-gateway .

FROM scratch
# For SENTIMENT_CA=system, a server whose certificate a public CA has signed.
COPY --from=program /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY LICENSE /
COPY --from=program /sentiment-gateway /
ENV BIND_ADDRESS=0.0.0.0
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=3 CMD ["/sentiment-gateway", "healthcheck"]
ENTRYPOINT ["/sentiment-gateway"]

ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Sentiment Analyzer Pro: REST bridge" \
      org.opencontainers.image.description="HTTP and JSON in front of the gRPC inference server for sentiment" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

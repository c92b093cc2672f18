/** What a drain may take beyond REQUEST_TIMEOUT: it serves on, refuses connections, and waits for clients to leave those they have (server/rpc/grpc-server.ts). */
export const DRAIN_SECONDS = 1.5 + 5 + 5;

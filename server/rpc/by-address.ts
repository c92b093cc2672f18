import type { Check } from "./entrance.js";

/** Of an IPv6 address: whoever has one has all of its network. */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

/** For a server without keys that keeps quotas: a call's holder is the address that it came from; behind a proxy, the proxy's. */
export const byAddress: Check = (_metadata, _path, peer = "") => ({ name: networkOf(peer) });

/** An IPv4 address as it is, an IPv6 one's network of 64 bits, as in "2001:db8:0:0::/64"; "unknown" for what is neither. `peer` as in "192.0.2.1:50000". */
export function networkOf(peer: string): string {
  const address = peer.replace(/:\d+$/, "").replace(/%.*$/, "").toLowerCase();
  // As a server that listens on IPv6 sees who comes by IPv4.
  const mapped = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!/^[0-9a-f:.]*:[0-9a-f:.]*$/.test(address)) return "unknown";
  const [head = [], tail = []] = address.split("::").map((part) => part.split(":").filter(Boolean));
  const zeros = Array<string>(Math.max(0, GROUPS - head.length - tail.length)).fill("0");
  return `${[...head, ...zeros, ...tail].slice(0, NETWORK_GROUPS).join(":")}::/64`;
}

/** One station: calls that come at random are served by `servers` alike. */
export interface Station {
  readonly servers: number;
  readonly callsPerSecond: number;
  /** Of one server, for one call. */
  readonly serviceMs: number;
  /** Of the service times: variance over the mean squared; 0 where all are equal, 1 where they are exponential. */
  readonly variation: number;
}

/** Servers that are busy on average, as a share of all: from 1 on the queue grows without end. */
export const utilizationOf = ({ servers, callsPerSecond, serviceMs }: Station): number =>
  (callsPerSecond * serviceMs) / 1000 / servers;

/** The chance that a call must wait in M/M/c (Erlang's C), by his B for one server more at a time. `load`: busy servers on average. */
export function waitingChance(servers: number, load: number): number {
  if (load >= servers) return 1;
  let blocked = 1;
  for (let count = 1; count <= servers; count++)
    blocked = (load * blocked) / (count + load * blocked);
  return blocked / (1 - (load / servers) * (1 - blocked));
}

/**
 * The wait that this share of the calls stays under, in M/G/c: the mean wait of M/M/c times (1 + variation) / 2 (Allen and Cunneen; Whitt 1993), and
 * those that wait do so for exponential times of that mean. Infinity where the station is overloaded.
 */
export function waitQuantileMs(station: Station, share: number): number {
  const { servers, callsPerSecond, serviceMs, variation } = station;
  const load = (callsPerSecond * serviceMs) / 1000;
  if (load >= servers) return Number.POSITIVE_INFINITY;
  const chance = waitingChance(servers, load);
  if (chance <= 1 - share) return 0;
  const meanOfThoseMs = ((1 + variation) / 2) * (serviceMs / (servers - load));
  return meanOfThoseMs * Math.log(chance / (1 - share));
}

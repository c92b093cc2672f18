import { messageOf, StartupError } from "./errors.js";

/** Why `port` cannot be listened on, with the mend. `setting` is the name of the environment variable that chose the port. */
export function listenFault(
  setting: string,
  address: string,
  port: number,
  error: unknown,
): StartupError {
  return new StartupError(faultOf(setting, address, port, messageOf(error)), error);
}

function faultOf(setting: string, address: string, port: number, why: string): string {
  if (why.includes("EADDRINUSE")) {
    return `${setting} ${port} is in use on ${address}: end the process that has it, or set another ${setting}`;
  }
  if (why.includes("EACCES"))
    return `${setting} ${port} is not allowed to this user: set one from 1024 up`;
  return `BIND_ADDRESS ${address} with ${setting} ${port} cannot be listened on: ${why}`;
}

import { ServiceError } from "../core/errors.js";
import type { AdminServiceImplementation } from "../gen/sentiment/v1/sentiment.js";

/** None of it is served by this version; the contract stands, and says so call by call. */
export function adminService(): AdminServiceImplementation {
  const notServed = async (): Promise<never> => {
    throw new ServiceError("NOT_IMPLEMENTED", "AdminService is not served by this version.");
  };
  return {
    warmCache: notServed,
    clearCache: notServed,
    loadModel: notServed,
    unloadModel: notServed,
    captureProfile: notServed,
    getStatus: notServed,
  };
}

import { type Backend, keyOf, type ModelVersion } from "../backend/backend.js";

/**
 * What a backend has loaded, and for whom. Several may hold the same file: while a version takes over, and is rolled back, its old calls go on. It is unloaded when
 * the last of them has given it back.
 */
export class HeldModels {
  readonly #holders = new Map<string, Set<object>>();
  readonly #unloading = new Map<string, Promise<void>>();
  readonly #backend: Pick<Backend, "load" | "unload">;

  constructor(backend: Pick<Backend, "load" | "unload">) {
    this.#backend = backend;
  }

  /** Rejects as `Backend.load` does; what that may have left is held all the same. For another holder too the backend is asked: it may have lost it meanwhile. */
  async load(model: ModelVersion, holder: object): Promise<void> {
    const key = keyOf(model);
    for (let one = this.#unloading.get(key); one; one = this.#unloading.get(key))
      await one.catch(() => {});
    const holders = this.#holders.get(key) ?? new Set();
    this.#holders.set(key, holders.add(holder));
    await this.#backend.load(model);
  }

  /** Rejects as `Backend.unload` does. */
  async unload(model: ModelVersion, holder: object): Promise<void> {
    const key = keyOf(model);
    const holders = this.#holders.get(key);
    if (!holders?.delete(holder) || holders.size > 0) return;
    this.#holders.delete(key);
    const unloading = this.#backend.unload(model).finally(() => this.#unloading.delete(key));
    this.#unloading.set(key, unloading);
    await unloading;
  }
}

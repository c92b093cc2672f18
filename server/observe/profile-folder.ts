import { writeSync } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf, ServiceError } from "../core/errors.js";

/** What the folder holds at most: the oldest files make room. */
export interface FolderLimits {
  readonly files: number;
  readonly bytes: number;
}

const EXTENSION = { cpu: "cpuprofile", heap: "heapsnapshot", allocation: "heapprofile" } as const;
export type ProfileKind = keyof typeof EXTENSION;

/** Files of ours; what else lies in the folder is never touched. */
const OURS = /^sentiment-(cpu|heap|allocation)-.*\.(cpuprofile|heapsnapshot|heapprofile)(\.part)?$/;
const PART = ".part";
/** No recording takes so long: whoever wrote it has died. */
const STALE_MS = 3_600_000;
/** They hold what is in memory: nobody else is to read them. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export class ProfileFolder {
  readonly #path: string;
  readonly #limits: FolderLimits;

  constructor(path: string, limits: FolderLimits) {
    this.#path = path;
    this.#limits = limits;
  }

  /** Makes the folder too where it is missing. Throws PROFILE_UNWRITABLE. */
  async create(kind: ProfileKind): Promise<ProfileFile> {
    const time = new Date().toISOString().replaceAll(":", "-");
    const name = `sentiment-${kind}-${time}-${process.pid}.${EXTENSION[kind]}`;
    const path = join(this.#path, name);
    try {
      await mkdir(this.#path, { recursive: true, mode: FOLDER_MODE });
      await this.#checkOwner();
      return new ProfileFile(path, await open(path + PART, "wx", FILE_MODE), this.#limits.bytes);
    } catch (error) {
      throw unwritable(path, error);
    }
  }

  /** Deletes the oldest files, as many as are too many. `newest` stays. */
  async prune(newest: string): Promise<void> {
    const kept = await this.#files();
    let bytes = kept.reduce((sum, file) => sum + file.bytes, 0);
    let count = kept.length;
    for (const file of kept) {
      if (count <= this.#limits.files && bytes <= this.#limits.bytes) return;
      if (file.path === newest) continue;
      await rm(file.path, { force: true });
      count -= 1;
      bytes -= file.bytes;
    }
  }

  /** Oldest first; what is being written left out. */
  async #files() {
    const names = (await readdir(this.#path)).filter((name) => OURS.test(name));
    const files = names.map(async (name) => {
      const path = join(this.#path, name);
      // Another process that shares the folder may delete it meanwhile.
      const found = await stat(path).catch(() => undefined);
      if (found === undefined) return [];
      const isUnderWay = name.endsWith(PART) && Date.now() - found.mtimeMs < STALE_MS;
      return isUnderWay ? [] : [{ path, bytes: found.size, writtenMs: found.mtimeMs }];
    });
    return (await Promise.all(files)).flat().sort((one, other) => one.writtenMs - other.writtenMs);
  }

  /** In a folder for all, somebody else may have made one of that name, or a link, to get at the files. root is who made a volume. */
  async #checkOwner(): Promise<void> {
    for (const { uid } of [await lstat(this.#path), await stat(this.#path)]) {
      const own = process.getuid?.() ?? uid;
      if (uid !== own && uid !== 0) throw new Error("the folder belongs to another user");
    }
  }
}

/** A file that is there for others only once it is whole. */
export class ProfileFile {
  #bytes = 0;
  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #maxBytes: number;

  constructor(path: string, handle: FileHandle, maxBytes: number) {
    this.#path = path;
    this.#handle = handle;
    this.#maxBytes = maxBytes;
  }

  /** Throws PROFILE_UNWRITABLE. */
  async write(text: string): Promise<void> {
    await this.#guarded(async () => {
      this.#count(Buffer.byteLength(text));
      await this.#handle.writeFile(text);
    });
  }

  /** The same where nothing may happen in between. Throws whatever is wrong. */
  writeAtOnce(text: string): void {
    const bytes = Buffer.from(text);
    this.#count(bytes.length);
    // A disk that is nearly full takes a part of it.
    for (let place = 0; place < bytes.length; )
      place += writeSync(this.#handle.fd, bytes, place, bytes.length - place);
  }

  /** It is whole. Throws PROFILE_UNWRITABLE. */
  async keep(): Promise<{ readonly path: string; readonly bytes: number }> {
    await this.#guarded(async () => {
      // Some file systems tell only now that they are full.
      await this.#handle.sync();
      await this.#handle.close();
      await rename(this.#path + PART, this.#path);
    });
    return { path: this.#path, bytes: this.#bytes };
  }

  /** Leaves nothing of it, unless it was kept. Never rejects. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close().catch(() => {});
    await rm(this.#path + PART, { force: true }).catch(() => {});
  }

  /** What the error is in the words that an admin reads. */
  unwritable(error: unknown): ServiceError {
    return unwritable(this.#path, error);
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.#maxBytes) throw new Error(`it is larger than ${this.#maxBytes} bytes`);
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      throw this.unwritable(error);
    });
  }
}

const unwritable = (path: string, cause: unknown) =>
  new ServiceError(
    "PROFILE_UNWRITABLE",
    `${path} cannot be written: ${messageOf(cause)}. Mend it, or set PROFILE_DIR to another folder.`,
    { cause },
  );

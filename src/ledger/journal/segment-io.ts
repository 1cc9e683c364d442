import fs from "node:fs";

/** The system calls on the hot path, as an interface so that a test can make them fail as a bad disk does. */
export interface SegmentIo {
  writeSync(fd: number, bytes: Buffer, from: number, length: number, position: number): number;
  ftruncateSync(fd: number, length: number): void;
  fdatasync(fd: number, done: (error: Error | null) => void): void;
}

export const nodeSegmentIo: SegmentIo = {
  writeSync: fs.writeSync,
  ftruncateSync: fs.ftruncateSync,
  fdatasync: fs.fdatasync,
};

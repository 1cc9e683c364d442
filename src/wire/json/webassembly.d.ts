/** The part of the WebAssembly interface that Weir uses; TypeScript has it in its DOM library alone. */
declare namespace WebAssembly {
  interface Instance {
    readonly exports: Readonly<Record<string, unknown>>;
  }
  interface Memory {
    readonly buffer: ArrayBuffer;
    /** Grows by pages of 64 KiB; the former `buffer` is detached. */
    grow(pages: number): number;
  }
  interface Global {
    readonly value: unknown;
  }
  /** A compiled module: only good for making instances of it. */
  type Module = object;

  const Module: new (bytes: Uint8Array) => Module;
  const Instance: new (module: Module) => Instance;
}

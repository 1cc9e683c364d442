/** An error of the operating system with its name, such as ENOENT. */
export type SystemError = Error & { readonly code: string };

export function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && "code" in error && typeof error.code === "string" && "syscall" in error;
}

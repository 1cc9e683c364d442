/**
 * Something with a life: created only in `app/`, started once, stopped once. `stop` is idempotent, ends everything that
 * `start` began (timers, sockets, child processes) and resolves when it has ended.
 */
export interface Component {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

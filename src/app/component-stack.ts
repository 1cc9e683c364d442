import type { Component } from "../core/component.ts";

/** Components started one after another, stopped in the opposite order, each exactly once. */
export class ComponentStack {
  readonly #undo: (() => Promise<unknown>)[] = [];

  /** Starts a component and remembers to stop it. A component that does not start is stopped at once. */
  async start<T extends Component>(component: T): Promise<T> {
    try {
      await component.start();
    } catch (error) {
      await component.stop();
      throw error;
    }
    this.#undo.push(() => component.stop());
    return component;
  }

  /** Something to do before everything that was started until now is stopped. */
  beforeStop(work: () => Promise<unknown>): void {
    this.#undo.push(work);
  }

  /** Stops everything, also when something on the way fails; the first failure is thrown at the end. */
  async stop(): Promise<void> {
    let failure: unknown = null;
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) {
      try {
        await undo();
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== null) throw failure;
  }
}

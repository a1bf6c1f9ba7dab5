/** One observable of everything that happens, and the hooks that the runtime waits for. */
import { Subject } from 'rxjs';
import type { GraphEvent, HookEvent, HookEventType, HookHandlers, RunView } from '../events.ts';

export interface NamedHook {
  readonly name: string;
  readonly handlers: HookHandlers;
}

/** A hook that failed: the run fails with its name. */
export class HookError extends Error {
  override readonly name = 'HookError';
}

export interface EventBus {
  readonly events: Subject<GraphEvent>;
  emit(event: GraphEvent): void;
  /**
   * Tell observers, then the hooks in order, each awaited. `between` runs after the hooks of nodes and before the
   * document's own. @throws HookError
   */
  dispatch(event: () => HookEvent, run: RunView, between?: () => void): Promise<void>;
}

/** Something that hooks ask for and that is done when all of them have seen the event. */
export interface Deferred {
  /** resolves when somebody asks from now on */
  asked(): Promise<void>;
  /** do what was asked for, if anything was */
  settle(): Promise<void>;
  /** refuse what was asked for */
  cancel(error: unknown): void;
}

/**
 * @param own hooks of the nodes and hooks brought by them, in order
 * @param listed the document's own
 */
export function createEvents(own: readonly NamedHook[], listed: readonly NamedHook[], deferred: Deferred): EventBus {
  const events = new Subject<GraphEvent>();
  const all = [...own, ...listed];
  for (const { name, handlers } of all) {
    if (!handlers.observe) continue;
    events.subscribe((event) => {
      try {
        handlers.observe!(event);
      } catch (error) {
        // observers are not awaited and cannot fail a run; tell the others, but not this one again
        if (event.type !== 'notice') {
          const message = `observe failed on ${event.type}: ${(error as Error).message}`;
          events.next({ type: 'notice', level: 'warning', from: name, message });
        }
      }
    });
  }

  /** The view of one hook: what it tells is said in its name. */
  const views = new Map<NamedHook, RunView>();
  const viewOf = (hook: NamedHook, run: RunView): RunView => {
    let own = views.get(hook);
    if (!own) {
      const notice: RunView['notice'] = (level, message, cure) =>
        run.emit({ type: 'notice', level, from: hook.name, message, cure });
      own = Object.assign(Object.create(run), { notice }) as RunView;
      views.set(hook, own);
    }
    return own;
  };
  const call = async (hook: NamedHook, event: HookEvent, run: RunView): Promise<void> => {
    const { name, handlers } = hook;
    try {
      await handlers[event.type]?.(event, viewOf(hook, run));
    } catch (error) {
      if (error instanceof HookError) throw error;
      throw new HookError(`hook ${name} failed on ${event.type}: ${(error as Error).message}`, { cause: error });
    }
  };
  const handles = (hooks: readonly NamedHook[], type: HookEventType): readonly NamedHook[] =>
    hooks.filter(({ handlers }) => handlers[type]);

  return {
    events,
    emit: (event) => events.next(event),
    async dispatch(event, run, between) {
      const first = event();
      events.next(first);
      const waiting: Promise<void>[] = [];
      const visit = async (hooks: readonly NamedHook[], seen: HookEvent): Promise<void> => {
        for (const hook of handles(hooks, seen.type)) {
          const asked = deferred.asked();
          const done = call(hook, seen, run);
          waiting.push(done);
          // a hook that waits for a checkpoint goes on when the others have seen the event, too
          await Promise.race([done, asked]);
        }
      };
      try {
        await visit(own, first);
        between?.();
        await visit(listed, between ? event() : first);
        await deferred.settle();
      } catch (error) {
        deferred.cancel(error);
        await Promise.allSettled(waiting);
        throw error;
      }
      await Promise.all(waiting);
    },
  };
}

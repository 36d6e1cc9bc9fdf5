import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Reply, Request } from './protocol.ts';

/** A place where one library runs: a process or a page. */
export interface Peer {
  /** Never rejects. After a failure that ended the peer, `alive` is false. */
  request(request: Request, timeoutMs: number): Promise<Reply>;
  readonly alive: boolean;
  close(): Promise<void>;
}

export interface ChildOptions {
  /** Module to run instead of the real one, for tests. */
  readonly module?: string;
}

/** No stopped process may outlive this one. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * Runs a library in a process of its own, so that a crash, a hang or its global state harms nobody. Between requests the
 * process is stopped where the system can: Dawn polls for its events, and a library that waits would take a core from the
 * one that is measured.
 */
export class ChildPeer implements Peer {
  private readonly child: ChildProcess;
  private readonly errors: string[] = [];
  private waiting: ((reply: Reply) => void) | undefined;
  private ended: string | undefined;

  constructor({ module = join(import.meta.dirname, 'child.ts') }: ChildOptions = {}) {
    this.child = fork(module, { execArgv: ['--import', 'tsx'], serialization: 'advanced', silent: true });
    running.add(this.child);
    this.child.on('message', (reply: Reply) => {
      this.signal('SIGSTOP');
      this.settle(reply);
    });
    this.child.on('error', (error) => this.end(`The process failed: ${error.message}`));
    this.child.on('exit', (code, signal) => {
      running.delete(this.child);
      const lastWords = this.errors.join('').trim().split('\n').slice(-3).join(' | ');
      this.end(`The process ended with ${signal ?? `code ${code}`}${lastWords ? `: ${lastWords}` : '.'}`);
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.errors.push(chunk.toString());
      if (this.errors.length > 50) this.errors.shift();
    });
    // Libraries print greetings; an unread pipe would fill up and stop the child.
    this.child.stdout?.resume();
  }

  get alive(): boolean {
    return this.ended === undefined;
  }

  request(request: Request, timeoutMs: number): Promise<Reply> {
    if (this.ended !== undefined) return Promise.resolve({ kind: 'failed', reason: this.ended });
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.end(`It was stopped after ${(timeoutMs / 1000).toFixed(1)} s without an answer.`);
        this.child.kill('SIGKILL');
      }, timeoutMs);
      this.waiting = (reply) => {
        clearTimeout(timer);
        resolve(reply);
      };
      this.signal('SIGCONT');
      this.child.send(request, (error) => {
        if (error) this.end(`The process could not be reached: ${error.message}`);
      });
    });
  }

  close(): Promise<void> {
    this.end('The process was closed.');
    if (this.child.exitCode !== null || this.child.signalCode !== null) return Promise.resolve();
    return new Promise((resolve) => {
      this.child.once('exit', () => resolve());
      // Nothing in it is worth saving, and some libraries crash in their own clean-up.
      this.child.kill('SIGKILL');
    });
  }

  private signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    if (process.platform !== 'win32') this.child.kill(name);
  }

  private settle(reply: Reply): void {
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.(reply);
  }

  private end(reason: string): void {
    this.ended ??= reason;
    this.settle({ kind: 'failed', reason: this.ended });
  }
}

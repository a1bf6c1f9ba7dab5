/** The first line that comes over a connection. */
import type { Socket } from 'node:net';

/**
 * Reads to the first newline and no further.
 * @throws when the other hangs up before, says more than `most` bytes without one, or nothing for `patience` ms
 */
export function firstLine(socket: Socket, most: number, patience: number): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  return new Promise<string>((resolve, reject) => {
    const fail = (why: string) => (): void => end(() => reject(new Error(why)));
    const [onError, onClose] = [(error: Error) => end(() => reject(error)), fail('it hung up')];
    const late = setTimeout(fail('it said nothing in time'), patience);
    const end = (settle: () => void): void => {
      clearTimeout(late);
      socket.off('readable', onReadable);
      socket.off('error', onError);
      socket.off('close', onClose);
      settle();
    };
    const onReadable = (): void => {
      for (let part: Buffer | null = socket.read(); part !== null; part = socket.read()) {
        const newline = part.indexOf(10);
        parts.push(newline < 0 ? part : part.subarray(0, newline));
        length += parts.at(-1)!.length;
        if (length > most) {
          end(() => reject(new Error('it speaks another protocol')));
          return;
        }
        if (newline < 0) continue;
        end(() => {
          if (newline + 1 < part!.length) socket.unshift(part!.subarray(newline + 1));
          resolve(Buffer.concat(parts).toString());
        });
        return;
      }
    };
    socket.on('readable', onReadable);
    socket.on('error', onError);
    socket.on('close', onClose);
  });
}
